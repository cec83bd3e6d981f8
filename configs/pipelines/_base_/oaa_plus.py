# Tags -> classifier with OAA -> OAA+ -> maps -> pseudo-labels -> DeepLab.
#
# A pipeline that inherits this sets `data`, and of each training its config
# (`oaa_config`, `oaa_plus_config`, `segmentation_config`) and its last epoch
# or iteration (`oaa_epochs`, `oaa_plus_epochs`, `segmentation_iters`). It can
# change the settings below; None stands for VOC's places in `data`. Of VOC, the
# archive as it is downloaded suffices.
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from oaa_mm.pipeline import Pipeline, Stage
from oaa_mm.tags.voc12 import SBD_MASKS, voc12_list, voc12_masks

classes = None  # 'voc', 'coco' or a file; None: classes.txt in `data`
train_tags = None  # tags of the training images: a list, or an instances JSON
train_list = None  # list of the images that get pseudo-labels
# Masks of the training images, for evaluation, where `data` is not of VOC's
# layout: then all images of `train_tags` get labels.
train_masks = None
val_list = None  # list of the validation images, or manifest of their masks
# Options of tools/make_pseudo_labels.py. None: '--saliency-dir' and
# SaliencyMaps in `data`, or else '--background power --refine par'.
label_options = None
workers = 2


@partial  # a config of mmengine keeps objects but drops plain functions
def pipeline(cfg):
    work, data = cfg.work_dir, cfg.data
    classes = f'--classes {cfg.classes or f"{data}/classes.txt"}'
    data_roots = '--cfg-options ' + ' '.join(
        f'{part}_dataloader.dataset.data_root={data}'
        for part in ('train', 'val', 'test')
    )
    layout = _layout_of_coco if cfg.train_masks else _layout_of_voc
    place = layout(
        cfg, f'-m oaa_mm check --config {cfg.oaa_config} {data_roots}'
    )
    label_options = cfg.label_options or _label_options(data)
    oaa = Stage(
        f'{work}/oaa',
        f'-m oaa_mm train {cfg.oaa_config} --work-dir {work}/oaa {data_roots}',
        inputs=[place.tags],
        outputs=[
            f'epoch_{cfg.oaa_epochs}.pth',
            f'attention_epoch_{cfg.oaa_epochs}.safetensors',
        ],
        resume='--resume',
    )
    classifier, accumulated = oaa.outputs
    cam = Stage(
        f'{work}/cam',
        f'-m oaa_mm test {cfg.oaa_config} {classifier} --work-dir {work}/cam '
        f'{data_roots}',
        outputs=['cam.safetensors'],
    )
    oaa_plus = Stage(
        f'{work}/oaa_plus',
        f'-m oaa_mm train {cfg.oaa_plus_config} --work-dir {work}/oaa_plus '
        f'{data_roots} '
        f'train_dataloader.dataset.pipeline.0.store={accumulated}',
        inputs=[place.tags],
        outputs=[f'epoch_{cfg.oaa_plus_epochs}.pth'],
        resume='--resume',
    )
    maps = Stage(
        f'{work}/maps',
        f'-m oaa_mm test {cfg.oaa_plus_config} {oaa_plus.outputs[0]} '
        f'--work-dir {work}/maps {data_roots}',
        outputs=['oaa_plus.safetensors'],
    )
    labels = Stage(
        f'{work}/labels',
        f'-m oaa_mm labels {maps.outputs[0]} '
        f'{place.listed} {classes} '
        f'--workers {cfg.workers} --out {work}/labels/pseudo_labels '
        + label_options,
        inputs=[place.labelled],
        outputs=['pseudo_labels/train.txt', 'pseudo_labels/manifest.json'],
        resume='',  # the same command keeps the labels that are finished
    )
    label_list, label_manifest = labels.outputs
    segmentation = Stage(
        f'{work}/segmentation',
        f'-m oaa_mm train {cfg.segmentation_config} '
        f'--work-dir {work}/segmentation --cfg-options '
        'train_dataloader.dataset.pseudo_labels='
        f'{work}/labels/pseudo_labels '
        f'val_dataloader.dataset.data_root={data} '
        f'test_dataloader.dataset.data_root={data}',
        # Labels of other parameters may have the same list.
        inputs=[label_list, label_manifest, place.val],
        outputs=[f'iter_{cfg.segmentation_iters}.pth'],
        resume='--resume',
    )
    evaluation = Stage(
        f'{work}/evaluation',
        [
            f'-m oaa_mm evaluate attention {cam.outputs[0]} {accumulated} '
            f'{maps.outputs[0]} {place.masks} {classes} '
            f'--json {work}/evaluation/maps.json '
            f'--curves {work}/evaluation/curves.png',
            f'-m oaa_mm evaluate labels {work}/labels/pseudo_labels {place.masks} '
            f'{classes} --json {work}/evaluation/labels.json',
            f'-m oaa_mm test {cfg.segmentation_config} '
            f'{segmentation.outputs[0]} --work-dir {work}/evaluation '
            f'--cfg-options test_dataloader.dataset.data_root={data}',
        ],
        outputs=['maps.json', 'labels.json'],
    )
    return Pipeline(
        work,
        [oaa, cam, oaa_plus, maps, labels, segmentation, evaluation],
        checks=place.checks,
        scores=_scores(*evaluation.outputs, f'{work}/evaluation/*/*.json'),
    )


def _layout_of_coco(cfg, check_train):
    """Tags in a JSON, masks in folders; the configs know the places."""
    return SimpleNamespace(
        tags=cfg.train_tags,
        labelled=cfg.train_tags,
        listed='',
        val=cfg.val_list,
        masks=f'--masks {cfg.train_masks}',
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
        listed=f'--list {labelled}',
        val=val,
        masks=f'--masks {masks} --list {masked}',
        checks=[check_train, f'{check} --val-list {val}'],
    )


def _label_options(data):
    """What stands for None, by whether there are saliency maps."""
    saliency = f'{data}/SaliencyMaps'
    if Path(saliency).is_dir():
        return f'--saliency-dir {saliency}'
    options = '--background power --refine par'
    print(f'{saliency} does not exist: labels are made with {options}')
    return options


def _scores(maps, labels, segmentation):
    """Rows of the final table, see oaa_mm/pipeline/table.py."""
    stores = (
        'CAMs of the classifier (train, best threshold)',
        'accumulated by OAA (train, best threshold)',
        'maps of OAA+ (train, best threshold)',
    )
    policies = {
        'drop': 'pixels of 255 dropped',
        'background': '255 counted as background',
        'error': '255 counted as an error',
    }
    return [
        *(
            dict(name=name, file=str(maps), entry=number)
            for number, name in enumerate(stores)
        ),
        *(
            dict(
                name=f'pseudo-labels (train), {words}',
                file=str(labels),
                policy=policy,
            )
            for policy, words in policies.items()
        ),
        # What tools/test.py logs.
        dict(name='segmentation network (val)', file=segmentation),
    ]
