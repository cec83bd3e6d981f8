# OAA with ResNet-50 on your own images and tags, see docs/own_data.md. From
# the environment: OWN_DATA, a folder with `images/` and `tags.csv`;
# OWN_CLASSES, the names of the classes; OWN_SUFFIX, the images' (.jpg).
_base_ = ['oaa_resnet50_voc.py']
data_root = '{{$OWN_DATA:data/own}}'
classes = '{{$OWN_CLASSES:cat,dog}}'.split(',')  # noqa: SIM905
dataset = dict(
    _delete_=True,
    type='oaa_mm.ImageLevelDataset',
    data_root=data_root,
    labels='tags.csv',
    data_prefix=dict(img_path='images'),
    img_suffix='{{$OWN_SUFFIX:.jpg}}',
    # The palette is VOC's, as in the pseudo-labels; palette=[[R, G, B], ...]
    # is another one for pictures.
    metainfo=dict(classes=classes),
)
model = dict(head=dict(num_classes=len(classes)))
train_dataloader = dict(
    # A small set has many sizes with one or two images only.
    batch_sampler=dict(merge_leftovers=True),
    dataset=dict(pipeline=_base_.train_pipeline, **dataset),
)
# The maps of the final model, of the same images; there are no masks.
test_dataloader = dict(
    dataset=dict(pipeline=_base_.test_pipeline, test_mode=True, **dataset)
)
test_evaluator = [
    dict(type='oaa_mm.AttentionStoreWriter', out_file='cam.safetensors')
]
# Images set aside for validation would need a list of their own.
val_dataloader = None
val_cfg = None
val_evaluator = None
