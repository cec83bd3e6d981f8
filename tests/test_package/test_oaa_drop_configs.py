"""OAA-drop is its classifier's recipe with another hook."""

import pytest
from mmengine.config import Config

PAIRS = {
    'oaa_drop_vgg16_voc': 'oaa_vgg16_voc',
    'oaa_drop_resnet50_voc': 'oaa_resnet50_voc',
    'oaa_drop_resnet101_voc': 'oaa_resnet101_voc',
    'voc_mini/oaa_drop_r18': 'voc_mini/oaa_r18',
    'toy/oaa_drop_r18_toy': 'toy/oaa_r18_toy',
}


@pytest.mark.parametrize(('drop', 'classifier'), PAIRS.items())
def test_only_the_hook_differs(root, drop, classifier):
    drop, classifier = (
        Config.fromfile(root / f'configs/{name}.py').to_dict()
        for name in (drop, classifier)
    )
    (hook,), (plain,) = (
        drop.pop('custom_hooks'),
        classifier.pop('custom_hooks'),
    )
    assert drop == classifier
    # The numbers of the release (docs/concepts.md).
    assert hook.pop('drop_prob') == 0.5
    assert hook.pop('drop_threshold') == 0.6
    assert hook == {**plain, 'type': 'oaa_mm.OAADropHook'}
