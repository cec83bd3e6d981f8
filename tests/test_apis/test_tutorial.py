"""docs/tutorial.md: its blocks run, in order, and make what they say."""

import re
from pathlib import Path

import numpy as np
from toy import make_toy_voc

from oaa_mm.attention import AttentionStore
from oaa_mm.io import read_mask

ROOT = Path(__file__).resolve().parents[2]


def test_the_blocks_run_in_order(tmp_path, monkeypatch, capsys):
    text = (ROOT / 'docs/tutorial.md').read_text()
    blocks = re.findall(r'```python\n(.*?)```', text, re.DOTALL)
    assert len(blocks) == 5
    assert 'toy data/tutorial --num-train 32 --num-val 4' in text
    make_toy_voc(tmp_path / 'data/tutorial', num_train=32, num_val=4)
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks:
        exec(compile(block, 'docs/tutorial.md', 'exec'), names)
    printed = capsys.readouterr().out
    store, image_id = names['store'], names['image_id']
    assert f'{len(store)} maps; {image_id}' in printed
    assert len(store.image_ids) == 32
    out = tmp_path / 'work_dirs/tutorial/inference'
    ids = list(store.image_ids[:4])
    for folder in ('vis', 'labels'):
        assert sorted(p.stem for p in (out / folder).iterdir()) == ids
    written = AttentionStore.load(out / 'attention.safetensors')
    # The tags of the list are those that the training saw.
    assert list(written) == [pair for pair in store if pair[0] in ids]
    assert names['overlay'].shape == (*names['size'], 3)
    label = read_mask(tmp_path / f'work_dirs/tutorial/{image_id}.png')
    assert np.array_equal(label, names['label'])
    present = {0, 255, *(c + 1 for c in store.classes_of(image_id))}
    assert set(np.unique(label).tolist()) <= present
    assert (label > 0).any()
    assert_the_readme_runs(image_id, store)


def assert_the_readme_runs(image_id, store):
    """Its example in Python, on the run of this page."""
    page = (ROOT / 'README.md').read_text()
    text = page.split('## In Python\n')[1].split('```')[1]
    classes = ('owl', 'fox', 'fish', 'cart', 'tractor', 'house')
    tag = classes[store.classes_of(image_id)[0]]
    for ours, here in (
        ('work_dirs/own_data', 'work_dirs/tutorial'),
        ('epoch_15', 'epoch_5'),
        ('photo.jpg', f'data/tutorial/JPEGImages/{image_id}.jpg'),
        ("'dog'", repr(tag)),
    ):
        assert ours in text
        text = text.replace(ours, here)
    names = {}
    exec(compile(text.removeprefix('python\n'), 'README.md', 'exec'), names)
    assert list(names['store']) == list(store)
    index = classes.index(tag)
    assert set(np.unique(names['label'])) <= {0, index + 1, 255}
