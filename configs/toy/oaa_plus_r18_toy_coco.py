# OAA+ on the embedded data set in COCO's layout:
#   python tools/make_toy_voc.py data/toy_coco --coco
_base_ = ['oaa_plus_r18_toy.py']
train = dict(
    data_root='data/toy_coco',
    labels='annotations/instances_train2017.json',
    ann_file='',  # all images of the labels
    # One image has no annotation, hence no tag to learn from.
    filter_cfg=dict(filter_empty_gt=True),
    data_prefix=dict(img_path='train2017'),
)
val = dict(
    data_root='data/toy_coco',
    labels='annotations/instances_val2017.json',
    ann_file='',
    filter_cfg=dict(filter_empty_gt=True),
    data_prefix=dict(img_path='val2017'),
)
train_dataloader = dict(dataset=train)
val_dataloader = dict(dataset=val)
# tools/make_coco_masks.py makes the masks, only for evaluation.
folders = dict(img_path='train2017', seg_map_path='masks/train2017')
test_dataloader = dict(dataset={**train, 'data_prefix': folders})
attention_store = 'work_dirs/oaa_r18_toy_coco/attention_epoch_20.safetensors'
load_maps = dict(type='oaa_mm.LoadAttentionMaps', store=attention_store)
train_dataloader['dataset']['pipeline'] = [load_maps, *_base_.train_pipeline]
