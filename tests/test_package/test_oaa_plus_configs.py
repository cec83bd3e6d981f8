"""OAA+ is the network and the recipe of its classifier, with other targets."""

import pytest
from mmengine.config import Config

PAIRS = {
    'oaa_plus_vgg16_voc': 'oaa_vgg16_voc',
    'oaa_plus_resnet50_voc': 'oaa_resnet50_voc',
    'oaa_plus_resnet101_voc': 'oaa_resnet101_voc',
    'voc_mini/oaa_plus_r18': 'voc_mini/oaa_r18',
    'voc_mini/oaa_plus_r50': 'voc_mini/oaa_r50',
    'toy/oaa_plus_r18_toy': 'toy/oaa_r18_toy',
    'toy/oaa_plus_r18_toy_coco': 'toy/oaa_r18_toy_coco',
    'oaa_plus_vgg16_coco': 'oaa_vgg16_coco',
    'oaa_plus_vgg16_coco14': 'oaa_vgg16_coco14',
}


@pytest.mark.parametrize(('plus', 'classifier'), PAIRS.items())
def test_only_the_targets_differ(root, plus, classifier):
    plus, classifier = (
        Config.fromfile(root / f'configs/{name}.py')
        for name in (plus, classifier)
    )
    for part in ('backbone', 'data_preprocessor'):
        assert plus.model[part] == classifier.model[part]
    if 'toy' not in plus.filename:
        # The article's convolutions, which VGG16's classifier has as well.
        assert plus.model.head.pop('num_convs') == 3
        for key in ('num_convs', 'channels', 'init_cfg'):
            plus.model.head.pop(key, None)
            classifier.model.head.pop(key, None)
    assert plus.model.head == classifier.model.head
    if 'voc_mini' in plus.filename:
        assert plus.param_scheduler.end == plus.train_cfg.max_epochs == 6
    elif 'toy' in plus.filename:  # shorter, for the demo
        assert plus.param_scheduler.end == plus.train_cfg.max_epochs == 12
    else:
        assert plus.optim_wrapper == classifier.optim_wrapper
        assert plus.param_scheduler == classifier.param_scheduler
        assert plus.train_cfg == classifier.train_cfg
    # Epochs of a small data set have as many iterations as the recipe needs;
    # the toy data set has one size.
    floor = 1 if 'toy' in plus.filename else 100
    for cfg in (plus, classifier):
        assert cfg.train_dataloader.batch_sampler.min_iters == floor
    assert plus.model.type == 'oaa_mm.IntegralAttentionModel'
    assert plus.custom_hooks == [{'type': 'oaa_mm.AgreementHook'}]
    # The first transform, so that one key names the store.
    load, *others = plus.train_dataloader.dataset.pipeline
    assert load.type == 'oaa_mm.LoadAttentionMaps'
    assert others == classifier.train_dataloader.dataset.pipeline
    # It is what the classifier's training writes with its last epoch.
    epochs = classifier.train_cfg.max_epochs
    name = classifier.filename.rsplit('/', 1)[1].removesuffix('.py')
    assert load.store == (
        f'work_dirs/{name}/attention_epoch_{epochs}.safetensors'
    )
