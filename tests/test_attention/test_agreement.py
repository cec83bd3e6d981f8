"""How well maps reproduce their targets, by sums worked out by hand."""

import json

import numpy as np
import pytest

from oaa_mm.attention import (
    Agreement,
    AttentionStore,
    agreement_of_stores,
    average_with_targets,
)


def store_of(maps):
    return AttentionStore(
        {pair: np.array(m, np.uint8) for pair, m in maps.items()}
    )


TARGETS = {
    ('a', 0): [[255, 100], [50, 0]],
    ('b', 2): [[0, 200]],
    ('c', 1): [[255]],  # has no map
}
MAPS = {
    ('a', 0): [[255, 0], [100, 50]],
    ('b', 2): [[20, 240]],
    ('a', 1): [[255]],  # has no target
}


# Each cell of a target of two is two equal cells of it.
MAP_OF_4 = np.uint8([[50, 50, 100, 100]])


@pytest.fixture(params=['memory', 'file', 'folder'])
def stores(request, tmp_path):
    stores = [store_of(MAPS), store_of(TARGETS)]
    if request.param == 'memory':
        return stores
    for name, store in zip('mt', stores, strict=True):
        if request.param == 'file':
            store.save(tmp_path / name)
        else:
            store.export_png(tmp_path / name)
    return [AttentionStore.open(tmp_path / name) for name in 'mt']


@pytest.mark.filterwarnings('error')
def test_sums_of_the_pairs_in_both_stores(stores):
    agreement = agreement_of_stores(*stores)
    assert agreement == Agreement(
        both=255 + 50 + 200, maps=405 + 260, targets=405 + 200
    )
    assert agreement.soft_iou == 505 / (255 + 100 + 100 + 50 + 20 + 240)
    assert agreement.coverage_ratio == 665 / 605


def test_a_map_of_another_resolution():
    """Each cell of the target is two equal cells of the map."""
    targets = store_of({('a', 0): [[200, 100]]})
    maps = store_of({('a', 0): [[150, 150, 50, 50]]})
    agreement = agreement_of_stores(maps, targets)
    assert (agreement.both, agreement.targets) == (150 + 50, 300)


def test_the_mean_with_targets():
    maps = {0: np.uint8([[255, 0, 3]]), 4: np.uint8([[9]]), 7: MAP_OF_4}
    targets = {0: np.uint8([[255, 100, 0]]), 7: np.uint8([[100, 200]])}
    means = average_with_targets(maps, targets | {5: np.uint8([[1]])})
    assert {c: m.tolist() for c, m in means.items()} == {
        0: [[255, 50, 2]],  # 1.5 is rounded up
        4: [[9]],  # never accepted, so that there is no target
        7: [[75, 150]],  # on the grid of the target
    }
    assert all(mean.dtype == np.uint8 for mean in means.values())
    assert maps[0].tolist() == [[255, 0, 3]]


def test_equal_maps_agree_and_empty_ones_do_not():
    assert Agreement(9, 9, 9).soft_iou == Agreement(9, 9, 9).coverage_ratio
    assert Agreement(9, 9, 9).soft_iou == 1
    assert Agreement(0, 0, 9).soft_iou == Agreement(0, 0, 9).coverage_ratio
    assert Agreement(0, 0, 0).soft_iou == 0


def test_stores_of_other_images():
    with pytest.raises(ValueError, match='no .* pair in common'):
        agreement_of_stores(store_of(MAPS), store_of({('z', 0): [[1]]}))


def test_the_verdict():
    agreement = Agreement(both=60, maps=80, targets=80)  # 0.6, 1.0
    assert agreement.judge(0.6) == {
        'soft_iou': 0.6, 'coverage_ratio': 1.0, 'min_soft_iou': 0.6
    }  # fmt: skip
    verdict = json.loads(json.dumps(agreement.judge(0.61)))
    assert '0.600, ' in verdict['warning']
    assert 'at least 0.61' in verdict['warning']
    assert 'more iterations: raise train_cfg.max_epochs' in verdict['warning']
    with pytest.raises(ValueError, match=r'min_soft_iou should be in \[0, 1'):
        agreement.judge(2)
