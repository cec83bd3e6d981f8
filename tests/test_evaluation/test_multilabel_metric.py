"""MultiLabelMetric as mmengine's loops use it."""

import pytest
import torch
from mmengine.logging import MMLogger

from oaa_mm.evaluation import MultiLabelMetric
from oaa_mm.registry import METRICS


def run(scores, labels, names=('cat', 'cow', 'dog')):
    metric = METRICS.build({'type': 'oaa_mm.MultiLabelMetric'})
    metric.dataset_meta = {'classes': names}
    samples = [
        {
            'img_path': f'{index}.jpg',
            'pred_score': torch.tensor(score),
            'gt_label': torch.tensor(label),
        }
        for index, (score, label) in enumerate(
            zip(scores, labels, strict=True)
        )
    ]
    metric.process(None, samples[:1])
    metric.process(None, samples[1:])
    return metric.evaluate(len(samples))


def test_by_hand(tmp_path):
    log = tmp_path / 'log.txt'
    MMLogger.get_instance('test_multilabel_metric', log_file=str(log))
    scores = [[0.9, 0.2, 0.8], [0.6, 0.7, 0.1], [0.8, 0.3, 0.2]]
    labels = [[1, 0, 1], [1, 0, 0], [0, 0, 1]]
    # cat: order 0 (+), 2, 1 (+): (1 + 2/3) / 2 = 5/6
    # dog: order 0 (+), 2 (+), 1: 1.     cow: no positive, left out.
    # Among the top K: both of image 0, none of image 1 and of image 2.
    found = run(scores, labels)
    assert found == {
        'cls/mAP': pytest.approx(100 * (5 / 6 + 1) / 2, abs=0.0051),
        'cls/top_k_accept': 50.0,
    }
    text = log.read_text()
    assert '| dog   | 100.00 |        50.00 |' in text
    assert '| cat   |  83.33 |        50.00 |' in text
    assert '1 of 3 classes do not occur: left out' in text


def test_a_single_class_with_negatives():
    """Negatives lower the precision; they have no pair to be accepted."""
    scores = [[0.9], [0.5], [0.4], [0.1]]
    found = run(scores, [[1], [0], [1], [0]], ['polyp'])
    assert found == {
        'cls/mAP': pytest.approx(100 * (1 + 2 / 3) / 2, abs=0.0051),
        'cls/top_k_accept': 100.0,
    }


def test_a_negative_among_several_classes():
    scores = [[0.9, 0.8, 0.1], [0.8, 0.1, 0.2], [0.7, 0.9, 0.1]]
    # cat: 0 (+), 1, 2: 1.   cow: 2 (+), 0, 1: 1.   dog: no positive.
    found = run(scores, [[1, 0, 0], [0, 0, 0], [0, 1, 0]])
    assert found == {'cls/mAP': 100.0, 'cls/top_k_accept': 100.0}


def test_no_labels_at_all_is_an_error():
    with pytest.raises(ValueError, match='none of the 2 images has a label'):
        run([[0.1, 0.2, 0.3]] * 2, [[0, 0, 0]] * 2)


@pytest.mark.parametrize(
    ('sample', 'match'),
    [
        ({'gt_label': torch.ones(2)}, r'7\.jpg.*no `pred_score`'),
        (
            {'pred_score': torch.ones(3), 'gt_label': torch.ones(2)},
            r'7\.jpg: `pred_score` has shape \(3,\).*2 classes',
        ),
    ],
)
def test_errors_name_the_image_and_field(sample, match):
    metric = MultiLabelMetric()
    metric.dataset_meta = {'classes': ('cat', 'cow')}
    with pytest.raises(ValueError, match=match):
        metric.process(None, [{'img_path': '7.jpg', **sample}])
