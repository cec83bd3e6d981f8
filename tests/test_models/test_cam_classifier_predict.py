"""Attention maps of a CAMClassifier at test time."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from oaa_mm.attention import attention_to_image, normalise_attention

LABEL = [1, 0, 0, 1, 0]


def predict(model, inputs, samples=None):
    return model(inputs, samples, mode='predict')


def same(one, other):
    assert torch.equal(one.attention_classes, other.attention_classes)
    assert torch.allclose(one.pred_score, other.pred_score, atol=1e-6)
    assert torch.allclose(one.attention.data, other.attention.data, atol=1e-6)
    difference = (
        one.attention_image.data.int() - other.attention_image.data.int()
    )
    assert difference.abs().max() <= 1


def test_fields_and_their_shapes(build, sample):
    model = build({'type': 'TestPointwiseBackbone', 'stride': 2})
    inputs = torch.randn(1, 3, 8, 12)
    data = sample((8, 12), LABEL, ori_shape=(17, 25))
    result = predict(model, inputs, [data])[0]
    assert result is data
    maps = model(inputs)[0]
    assert torch.allclose(result.pred_score, maps.mean((1, 2)).sigmoid())
    assert result.attention_classes.tolist() == [0, 3]
    expected = normalise_attention(maps[[0, 3]])
    assert torch.allclose(result.attention.data, expected)
    assert result.attention.data.dtype == torch.float32
    large = result.attention_image.data
    assert large.shape == (2, 17, 25)
    assert large.dtype == torch.uint8
    for one, small in zip(large, expected, strict=True):
        assert np.array_equal(one, attention_to_image(small.numpy(), (17, 25)))


def test_nothing_needs_a_gradient(build, sample):
    result = predict(build(), torch.randn(1, 3, 4, 6), [sample((4, 6), LABEL)])
    assert not result[0].pred_score.requires_grad
    assert not result[0].attention.data.requires_grad


def test_without_data_samples(build):
    results = predict(build(), torch.randn(2, 3, 4, 6))
    assert len(results) == 2
    for result in results:
        assert result.attention_image.data.shape[1:] == (4, 6)
        assert len(result.attention_classes) >= 1


def constant(model, bias):
    torch.nn.init.zeros_(model.head.classifier.weight)
    model.head.classifier.bias.data = torch.tensor(bias)


BIAS = [1.0, -1.0, 0.1, -3.0, 2.0]  # probabilities .73, .27, .52, .05, .88


@pytest.mark.parametrize(
    ('threshold', 'classes'),
    [
        (0.5, [0, 2, 4]),
        (0.7, [0, 4]),
        (0.01, [0, 1, 2, 3, 4]),
        (0.99, [4]),  # the most probable one always
    ],
)
def test_classes_without_labels(build, sample, threshold, classes):
    model = build(test_cfg={'score_thr': threshold})
    constant(model, BIAS)
    result = predict(model, torch.randn(1, 3, 4, 6), [sample((4, 6))])[0]
    assert result.attention_classes.tolist() == classes
    assert result.attention.data.shape == (len(classes), 4, 6)


def test_labels_can_be_left_out(build, sample):
    inputs = torch.randn(1, 3, 4, 6)
    for use, classes in ((True, [0, 3]), (False, [0, 2, 4])):
        model = build(test_cfg={'use_labels': use})
        constant(model, BIAS)
        result = predict(model, inputs, [sample((4, 6), LABEL)])[0]
        assert result.attention_classes.tolist() == classes


def test_image_labelled_with_nothing(build, sample):
    result = predict(
        build(), torch.randn(1, 3, 4, 6), [sample((4, 6), [0] * 5)]
    )[0]
    assert result.attention_classes.tolist() == []
    assert result.attention.data.shape == (0, 4, 6)
    assert result.attention_image.data.shape == (0, 4, 6)


@pytest.mark.parametrize('norm', ['max', 'minmax'])
def test_normalisation(build, sample, norm):
    model = build(test_cfg={'norm': norm})
    inputs = torch.randn(1, 3, 4, 6)
    result = predict(model, inputs, [sample((4, 6), [1] * 5)])[0]
    expected = normalise_attention(model(inputs)[0], norm=norm)
    assert torch.allclose(result.attention.data, expected)


@pytest.mark.parametrize(
    'backbone',
    ['TestPointwiseBackbone', 'TestEdgeBackbone'],
)
@pytest.mark.parametrize('flip', [False, True])
def test_padded_batch_is_its_images_one_by_one(
    build, sample, pad, images, labels, backbone, flip
):
    # Even with kernels that would see the padding: it is cut off.
    model = build(backbone, test_cfg={'flip': flip, 'scales': (1.0, 1.5)})
    shapes = [image.shape[1:] for image in images]
    together = predict(
        model,
        pad(images),
        [sample(s, y) for s, y in zip(shapes, labels, strict=True)],
    )
    for image, shape, label, result in zip(
        images, shapes, labels, together, strict=True
    ):
        alone = predict(model, image[None], [sample(shape, label)])[0]
        same(result, alone)
        assert result.attention.data.shape[1:] == shape


def test_flip_is_the_mean_with_the_mirrored_image(build, sample):
    model = build('TestEdgeBackbone', test_cfg={'flip': True})
    inputs = torch.randn(1, 3, 6, 8)
    result = predict(model, inputs, [sample((6, 8), LABEL)])[0]
    plain, mirrored = model(inputs), model(inputs.flip(3)).flip(3)
    assert not torch.allclose(plain, mirrored, atol=1e-2)
    maps = (plain + mirrored)[0] / 2
    assert torch.allclose(
        result.attention.data, normalise_attention(maps[[0, 3]]), atol=1e-6
    )
    assert torch.allclose(
        result.pred_score, maps.mean((1, 2)).sigmoid(), atol=1e-6
    )


def test_scales_are_averaged_at_the_size_of_the_first(build, sample):
    model = build(
        {'type': 'TestPointwiseBackbone', 'stride': 2},
        test_cfg={'scales': (1.0, 1.5)},
    )
    inputs = torch.randn(1, 3, 9, 12)
    result = predict(model, inputs, [sample((9, 12), LABEL)])[0]
    # 9 x 12 pixels give 4 x 6 cells; 1.5 times as large 14 x 18 give 7 x 9.
    larger = F.interpolate(inputs, (14, 18), mode='bilinear')
    maps = model(larger)
    assert maps.shape[2:] == (7, 9)
    small = F.interpolate(maps, (4, 6), mode='bilinear')
    both = (model(inputs) + small)[0] / 2
    assert torch.allclose(
        result.attention.data, normalise_attention(both[[0, 3]]), atol=1e-6
    )
    logits = (model(inputs).mean((2, 3)) + maps.mean((2, 3)))[0] / 2
    assert torch.allclose(result.pred_score, logits.sigmoid(), atol=1e-6)


def test_validation_step_of_mmengine(build, sample):
    model = build(data_preprocessor={'type': 'mmengine.ImgDataPreprocessor'})
    data = {
        'inputs': [torch.randn(3, 4, 6), torch.randn(3, 5, 4)],
        'data_samples': [sample((4, 6), LABEL), sample((5, 4))],
    }
    results = model.val_step(data)
    assert results[0].attention.data.shape == (2, 4, 6)
    assert results[1].attention.data.shape[1:] == (5, 4)
    assert model.head.attention_output is None


@pytest.mark.parametrize(
    ('config', 'match'),
    [
        ({'scale': 1.0}, "key of test_cfg .*'scales'.* got 'scale'"),
        (
            {'mode': 'whole', 'flip': True},
            r"a key of test_cfg .*but got 'mode'",
        ),
        ({'scales': ()}, r'scales should be a list of numbers, not \(\)'),
        (
            {'scales': (1.0, 0.0)},
            r'scales should be in \(0, inf\).*0\.0',
        ),
        ({'norm': 'l2'}, "norm should be one of .* 'l2'"),
    ],
)
def test_wrong_test_cfg(build, config, match):
    with pytest.raises(ValueError, match=match):
        build(test_cfg=config)


def test_lists_in_place_of_tuples_as_configs_have_them(build, sample):
    model = build(test_cfg={'scales': [1.0, 2.0]})
    result = predict(model, torch.randn(1, 3, 4, 6), [sample((4, 6), LABEL)])
    assert result[0].attention.data.shape == (2, 4, 6)
