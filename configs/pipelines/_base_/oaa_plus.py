# Tags -> classifier with OAA -> OAA+ -> maps -> pseudo-labels -> DeepLab,
# and a second round: what this DeepLab finds -> pseudo-labels -> DeepLab.
#
# A pipeline that inherits this sets `data`, and of each training its config
# (`oaa_config`, `oaa_plus_config`, `segmentation_config`) and its last epoch
# or iteration (`oaa_epochs`, `oaa_plus_epochs`, `segmentation_iters`). It can
# change the settings below, in the file or by --cfg-options; None stands for
# VOC's places in `data`. Of VOC, the archive as it is downloaded suffices.
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from oaa_mm.checks import check_choice, check_number
from oaa_mm.pipeline import Pipeline, Stage
from oaa_mm.tags.voc12 import SBD_MASKS, voc12_list, voc12_masks

classes = None  # 'voc', 'coco' or a file; None: classes.txt in `data`
train_tags = None  # tags of the training images: a list, or an instances JSON
train_list = None  # list of the images that get pseudo-labels
# Masks of the training images, for evaluation, where `data` is not of VOC's
# layout: then all images of `train_tags` get labels.
train_masks = None
val_list = None  # list of the validation images, or manifest of their masks
# Options of tools/make_pseudo_labels.py. None: what was measured to be best
# (docs/results.md), with SaliencyMaps in `data` or without them.
label_options = None
# How often DeepLab is trained (--rounds): from the second time on, its labels
# are what the DeepLab before found of the tags of each image, made with
# `round_options`. None: 2 where there are neither `label_options` nor
# SaliencyMaps, else 1.
rounds = None
round_options = '--background rest --refine regions,grabcut'
# The maps that the labels are made of: 'cam', 'oaa' or 'oaa_plus', which is
# trained only where it is needed. None: with saliency maps OAA's, where no gain
# of DeepLab by OAA+ was measured, and OAA+'s without them.
labels_from = None
# Labels of OAA+ are made of the mean of its maps and OAA's, or of OAA's alone
# where it has learnt too little. True: of the maps of OAA+ alone, always.
accept_oaa_plus = False
# What DeepLab is trained on as well, to compare: labels from 'cam', 'oaa' or
# 'oaa_plus', or 'masks', the true ones.
compare = ()
# Maps of which labels are made and scored without training DeepLab on them.
compare_labels = ()
# The trainings that --seeds repeats, of 'oaa', 'oaa_plus' and 'segmentation';
# what reads their results is repeated, too.
seeded = ('segmentation',)
amp = None  # 'bf16' or 'fp16': trainings and tests take --amp
workers = 2

names = {
    'cam': 'CAM',
    'oaa': 'OAA',
    'oaa_plus': 'OAA+',
    'masks': 'true masks',
}


@partial  # a config of mmengine keeps objects but drops plain functions
def pipeline(cfg):
    data = cfg.data
    main, label_options, rounds = _label_options(cfg)
    sources, labelled = _sources(cfg, main)
    data_roots = ' '.join(
        f'{part}_dataloader.dataset.data_root={data}'
        for part in ('train', 'val', 'test')
    )
    layout = _layout_of_coco if cfg.train_masks else _layout_of_voc
    place = layout(
        cfg,
        f'-m oaa_mm check --config {cfg.oaa_config} '
        f'--cfg-options {data_roots}',
    )
    suffixes = {s: '' if s == main else f'_{s}' for s in labelled}
    stages, stores = _attention(cfg, place, labelled, data_roots)
    checked = {'oaa_plus': f'--targets {stores["oaa"]} '}
    if cfg.accept_oaa_plus:
        checked['oaa_plus'] += '--accept-oaa-plus '
    labels = {
        source: _labels(
            cfg,
            place,
            checked.get(source, '') + label_options,
            stores[source],
            suffix,
        )
        for source, suffix in suffixes.items()
        if source != 'masks'
    }
    networks = {
        source: _segmentation(cfg, place, labels.get(source), suffixes[source])
        for source in sources
    }
    names, last = dict(cfg.names), main
    for number in range(2, rounds + 1):
        network = networks[last].outputs[0]
        options = f'--segmentor {network} {cfg.round_options}'
        suffix, last = f'_round_{number}', f'round_{number}'
        names[last] = f'{names[main]}, round {number}'
        labels[last] = _labels(cfg, place, options, stores[main], suffix)
        networks[last] = _segmentation(cfg, place, labels[last], suffix)
    evaluation = _evaluation(cfg, place, stores, labels)
    for source in {**labels, **networks}:
        stages += [m[source] for m in (labels, networks) if source in m]
    stages.append(evaluation)
    return Pipeline(
        cfg.work_dir,
        stages,
        checks=place.checks,
        scores=_scores(names, evaluation, stores, labels, networks),
        reference=names['masks'],
        main=names[last],
    )


def _attention(cfg, place, sources, data_roots):
    """The trainings and tests that make maps, and source -> store."""
    oaa = _training(
        cfg,
        'oaa',
        data_roots,
        inputs=[place.tags],
        outputs=[
            f'epoch_{cfg.oaa_epochs}.pth',
            f'attention_epoch_{cfg.oaa_epochs}.safetensors',
        ],
    )
    classifier, accumulated = oaa.outputs
    cam = _test(cfg, 'cam', cfg.oaa_config, classifier, data_roots)
    stages = [oaa, cam]
    stores = {'cam': cam.outputs[0], 'oaa': accumulated}
    if 'oaa_plus' in sources:
        oaa_plus = _training(
            cfg,
            'oaa_plus',
            f'{data_roots} '
            f'train_dataloader.dataset.pipeline.0.store={accumulated}',
            inputs=[place.tags, accumulated],
            outputs=[f'epoch_{cfg.oaa_plus_epochs}.pth'],
        )
        (model,) = oaa_plus.outputs
        maps = _test(cfg, 'maps', cfg.oaa_plus_config, model, data_roots)
        stages += [oaa_plus, maps]
        stores['oaa_plus'] = maps.outputs[0]
    return stages, stores


def _sources(cfg, main):
    """What DeepLab is trained on, and this with what is only labelled."""
    *maps, masks = cfg.names
    check_choice('labels_from', main, maps)
    compare, compare_labels = (
        [value] if isinstance(value, str) else value
        for value in (cfg.compare, cfg.compare_labels)
    )
    for source in compare:
        check_choice('compare', source, [*maps, masks])
    for source in compare_labels:
        check_choice('compare_labels', source, maps)
    learnt = {main, *compare}
    labelled = learnt.union(compare_labels)
    for training in cfg.seeded:
        check_choice('seeded', training, ('oaa', 'oaa_plus', 'segmentation'))
    return [[s for s in cfg.names if s in of] for of in (learnt, labelled)]


def _folder(cfg, name, inputs, training=None):
    """Where a stage works: in the folder of the seed, if that enters."""
    of_seed = Path(cfg.work_dir, f'seed_{cfg.seed}')
    seeded = training in cfg.seeded or any(
        of_seed in Path(path).parents for path in inputs
    )
    is_once = cfg.seed is None or not seeded
    return Path(cfg.work_dir, name) if is_once else of_seed / name


def _training(
    cfg, training, options, *, inputs, outputs, suffix='', arguments=''
):
    folder = _folder(cfg, training + suffix, inputs, training)
    if folder.parent != Path(cfg.work_dir):
        options += f' randomness.seed={cfg.seed}'
    if cfg.amp:
        arguments += f'--amp {cfg.amp} '
    return Stage(
        folder,
        f'-m oaa_mm train {cfg[f"{training}_config"]} --work-dir {folder} '
        f'{arguments}--cfg-options {options}',
        inputs=inputs,
        outputs=outputs,
        resume='--resume',
    )


def _test(cfg, name, config, checkpoint, options):
    """The maps of a model; their file is named by the model's config."""
    folder = _folder(cfg, name, [checkpoint])
    store = {'cam': 'cam', 'maps': 'oaa_plus'}[name]
    amp = f'--amp {cfg.amp} ' if cfg.amp else ''
    return Stage(
        folder,
        f'-m oaa_mm test {config} {checkpoint} --work-dir {folder} '
        f'{amp}--cfg-options {options}',
        outputs=[f'{store}.safetensors'],
    )


def _labels(cfg, place, options, store, suffix):
    # Paths of what earlier stages made stand among the options.
    folder = _folder(cfg, f'labels{suffix}', [store, *options.split()])
    return Stage(
        folder,
        f'-m oaa_mm labels {store} {place.listed} {place.classes} '
        f'--workers {cfg.workers} --out {folder}/pseudo_labels {options}',
        inputs=[place.labelled],
        outputs=['pseudo_labels/train.txt', 'pseudo_labels/manifest.json'],
        resume='',  # the same command keeps the labels that are finished
    )


def _segmentation(cfg, place, labels, suffix):
    """DeepLab on labels; without them on the true masks."""
    learns, inputs = place.true_masks, [place.masked]
    if labels:
        folder = labels.folder / 'pseudo_labels'
        learns = f'train_dataloader.dataset.pseudo_labels={folder}'
        # Labels of other parameters may have the same list.
        inputs = labels.outputs
    return _training(
        cfg,
        'segmentation',
        f'{learns} val_dataloader.dataset.data_root={cfg.data} '
        f'test_dataloader.dataset.data_root={cfg.data}',
        suffix=suffix,
        arguments='--test ',
        inputs=[*inputs, place.val],
        outputs=[f'iter_{cfg.segmentation_iters}.pth'],
    )


def _evaluation(cfg, place, stores, labels):
    """Maps and labels against masks."""
    folders = [label.folder / 'pseudo_labels' for label in labels.values()]
    folder = _folder(cfg, 'evaluation', [*stores.values(), *folders])
    masks = f'{place.masks} {place.classes} --json {folder}'
    return Stage(
        folder,
        [
            f'-m oaa_mm evaluate attention {_words(stores.values())} '
            f'{masks}/maps.json --curves {folder}/curves.png',
            f'-m oaa_mm evaluate labels {_words(folders)} {masks}/labels.json',
        ],
        outputs=['maps.json', 'labels.json'],
    )


def _words(paths):
    return ' '.join(map(str, paths))


def _layout_of_coco(cfg, check_train):
    """Tags in a JSON, masks in folders; the configs know the places."""
    return SimpleNamespace(
        tags=cfg.train_tags,
        labelled=cfg.train_tags,
        masked=cfg.train_tags,
        listed='',
        classes=f'--classes {cfg.classes or f"{cfg.data}/classes.txt"}',
        val=cfg.val_list,
        masks=f'--masks {cfg.train_masks}',
        true_masks=_true_masks(
            # COCO's folders of masks have the names of those of the images.
            f'{cfg.data}/{Path(cfg.train_masks).name}',
            cfg.train_masks,
            '',
        ),
        checks=[
            check_train,
            f'-m oaa_mm check --config {cfg.segmentation_config} '
            '--cfg-options train_dataloader=None '
            f'val_dataloader.dataset.data_root={cfg.data}',
        ],
    )


def _layout_of_voc(cfg, check_train):
    """Lists in ImageSets; of VOC, what stands in for those that are absent."""
    data, lists = cfg.data, f'{cfg.data}/ImageSets/Segmentation'
    tags = cfg.train_tags or f'{lists}/train_cls.txt'
    labelled = cfg.train_list or f'{lists}/train_aug.txt'
    val = cfg.val_list or f'{lists}/val.txt'
    classes = f'--classes {cfg.classes or f"{data}/classes.txt"}'
    check = f'-m oaa_mm check --data-root {data} {classes}'
    ids = voc12_list(tags) if cfg.classes == 'voc' else tags
    if ids == tags:
        check_train = f'{check} --train-list {tags}'
    if cfg.classes == 'voc':
        labelled = voc12_list(labelled)
    masks, masked = f'{data}/{SBD_MASKS}', labelled
    if voc12_masks(masks) != masks:
        masks, masked = voc12_masks(masks), f'{lists}/train.txt'
        check += f' --mask-dir {masks}'
        print(f'maps and labels are evaluated on the images of {masked}')
    return SimpleNamespace(
        tags=ids,
        labelled=labelled,
        masked=masked,
        listed=f'--list {labelled}',
        classes=classes,
        val=val,
        masks=f'--masks {masks} --list {masked}',
        true_masks=_true_masks(f'{data}/JPEGImages', masks, masked),
        checks=[check_train, f'{check} --val-list {val}'],
    )


def _true_masks(images, masks, image_list):
    """Options by which a segmentation network learns from masks."""
    dataset = 'train_dataloader.dataset'
    return (
        f'{dataset}.data_prefix.img_path={images} '
        f'{dataset}.data_prefix.seg_map_path={masks} '
        f'{dataset}.ann_file={image_list}'
    )


def _label_options(cfg):
    """Of what and how labels are made, and how many rounds there are."""
    saliency = f'{cfg.data}/SaliencyMaps'
    options = cfg.label_options
    alone = not options and not Path(saliency).is_dir()
    rounds = (2 if alone else 1) if cfg.rounds is None else cfg.rounds
    check_number('rounds', rounds, low=1, integer=True)
    if alone:
        options = (
            '--background power --refine contrast,regions,grabcut '
            '--attention-threshold 0.3'
        )
        print(
            f'{saliency} does not exist: labels are made with {options}; '
            f'number of rounds: {rounds}'
        )
    options = options or f'--saliency-dir {saliency} --fg-threshold 0.05'
    main = cfg.labels_from
    if main is None:
        main = 'oaa' if '--saliency-dir' in options else 'oaa_plus'
        if main == 'oaa':
            print(
                'With saliency maps, labels are made of the maps of OAA; '
                'labels_from=oaa_plus trains OAA+ as well'
            )
    return main, options, rounds


def _scores(names, evaluation, stores, labels, networks):
    """Cells of the final table, see oaa_mm/pipeline/table.py."""
    maps, scored = map(str, evaluation.outputs)
    policies = {
        'drop': 'labels, 255 dropped',
        'background': 'labels, 255 as background',
    }
    cells = [
        *(
            dict(name=source, column='maps', file=maps, entry=number)
            for number, source in enumerate(stores)
        ),
        *(
            dict(name=source, column=column, file=scored, entry=number)
            | dict(policy=policy)
            for policy, column in policies.items()
            for number, source in enumerate(labels)
        ),
        # The log of the test.
        *(
            dict(
                name=source,
                column='DeepLab',
                file=f'{network.folder}/*/*.json',
            )
            for source, network in networks.items()
        ),
    ]
    return [{**cell, 'name': names[cell['name']]} for cell in cells]
