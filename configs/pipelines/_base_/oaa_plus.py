# Tags -> classifier with OAA -> OAA+ -> maps -> pseudo-labels -> DeepLab.
#
# A pipeline that inherits this names, as texts: `data`, `classes`, and of each
# training its config (`oaa_config`, `oaa_plus_config`, `segmentation_config`)
# and its last epoch or iteration (`oaa_epochs`, `oaa_plus_epochs`,
# `segmentation_iters`). The other texts may be changed as well.
train_tags = '{data}/ImageSets/Segmentation/train_cls.txt'
train_list = '{data}/ImageSets/Segmentation/train_aug.txt'
val_list = '{data}/ImageSets/Segmentation/val.txt'
# Without saliency maps: '--background power'; refined: '... --refine par'.
label_options = '--saliency-dir {data}/SaliencyMaps'
workers = '2'

_data = ' '.join(
    f'{part}_dataloader.dataset.data_root={{data}}'
    for part in ('train', 'val', 'test')
)
_masks = '--masks {data}/SegmentationClassAug --list {train_list}'
checks = [
    'tools/check_dataset.py --data-root {data} --classes {classes} '
    '--train-list {train_tags}',
    'tools/check_dataset.py --data-root {data} --classes {classes} '
    '--val-list {val_list}',
]
stages = [
    dict(
        name='oaa',
        run='tools/train.py {oaa_config} --work-dir {dir} '
        f'--cfg-options {_data}',
        inputs=['{train_tags}'],
        outputs=[
            'epoch_{oaa_epochs}.pth',
            'attention_epoch_{oaa_epochs}.safetensors',
        ],
        resume='--resume',
    ),
    dict(
        name='cam',
        run='tools/test.py {oaa_config} {oaa}/epoch_{oaa_epochs}.pth '
        f'--work-dir {{dir}} --cfg-options {_data}',
        outputs=['cam.safetensors'],
    ),
    dict(
        name='oaa_plus',
        run='tools/train.py {oaa_plus_config} --work-dir {dir} '
        f'--cfg-options {_data} train_dataloader.dataset.pipeline.0.store='
        '{oaa}/attention_epoch_{oaa_epochs}.safetensors',
        inputs=['{train_tags}'],
        outputs=['epoch_{oaa_plus_epochs}.pth'],
        resume='--resume',
    ),
    dict(
        name='maps',
        run='tools/test.py {oaa_plus_config} '
        '{oaa_plus}/epoch_{oaa_plus_epochs}.pth '
        f'--work-dir {{dir}} --cfg-options {_data}',
        outputs=['oaa_plus.safetensors'],
    ),
    dict(
        name='labels',
        run='tools/make_pseudo_labels.py {maps}/oaa_plus.safetensors '
        '--img-dir {data}/JPEGImages --list {train_list} '
        '--classes {classes} --workers {workers} --out {dir}/pseudo_labels '
        '{label_options}',
        inputs=['{train_list}'],
        outputs=['pseudo_labels/train.txt', 'pseudo_labels/manifest.json'],
        resume='',  # the same command keeps the labels that are finished
    ),
    dict(
        name='segmentation',
        run='tools/train.py {segmentation_config} --work-dir {dir} '
        '--cfg-options train_dataloader.dataset.ann_file={labels}/pseudo_labels/train.txt '
        'train_dataloader.dataset.data_prefix.seg_map_path={labels}/pseudo_labels/labels '
        'train_dataloader.dataset.data_prefix.img_path={data}/JPEGImages '
        'val_dataloader.dataset.data_root={data} '
        'test_dataloader.dataset.data_root={data}',
        # Labels of other parameters may have the same list.
        inputs=['{labels}/pseudo_labels/manifest.json', '{val_list}'],
        outputs=['iter_{segmentation_iters}.pth'],
        resume='--resume',
    ),
    dict(
        name='evaluation',
        run=[
            'tools/evaluate.py attention {cam}/cam.safetensors '
            '{oaa}/attention_epoch_{oaa_epochs}.safetensors '
            '{maps}/oaa_plus.safetensors '
            f'{_masks} --classes {{classes}} --json {{dir}}/maps.json '
            '--curves {dir}/curves.png',
            'tools/evaluate.py labels {labels}/pseudo_labels '
            f'{_masks} --classes {{classes}} --json {{dir}}/labels.json',
            'tools/test.py {segmentation_config} '
            '{segmentation}/iter_{segmentation_iters}.pth --work-dir {dir} '
            '--cfg-options test_dataloader.dataset.data_root={data}',
        ],
        outputs=['maps.json', 'labels.json'],
    ),
]
_maps = '{evaluation}/maps.json'
_labels = '{evaluation}/labels.json'
scores = [
    dict(
        name='CAMs of the classifier (train, best threshold)',
        file=_maps,
        entry='0',
    ),
    dict(
        name='accumulated by OAA (train, best threshold)',
        file=_maps,
        entry='1',
    ),
    dict(
        name='maps of OAA+ (train, best threshold)',
        file=_maps,
        entry='2',
    ),
    dict(
        name='pseudo-labels (train), pixels of 255 dropped',
        file=_labels,
        policy='drop',
    ),
    dict(
        name='pseudo-labels (train), 255 counted as background',
        file=_labels,
        policy='background',
    ),
    dict(
        name='pseudo-labels (train), 255 counted as an error',
        file=_labels,
        policy='error',
    ),
    dict(
        name='segmentation network (val)',
        file='{evaluation}/*/*.json',  # the log of tools/test.py
    ),
]
