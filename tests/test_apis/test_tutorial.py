"""docs/tutorial.ipynb: its cells run, in order, and show what they say."""

import ast
import json
from pathlib import Path

import numpy as np

from oaa_mm.attention import AttentionStore
from oaa_mm.io import read_mask

ROOT = Path(__file__).resolve().parents[2]


def run_cell(source, names):
    """Run a cell; it shows its last line where that is an expression."""
    *body, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        exec(source, names)
        return None
    exec(compile(ast.Module(body, []), 'cell', 'exec'), names)
    return eval(compile(ast.Expression(last.value), 'cell', 'eval'), names)


def test_the_cells_run_in_order(tmp_path, monkeypatch, capsys):
    notebook = json.loads((ROOT / 'docs/tutorial.ipynb').read_text())
    cells = [c for c in notebook['cells'] if c['cell_type'] == 'code']
    assert not any(cell['outputs'] for cell in cells)
    monkeypatch.chdir(tmp_path)
    names, shown = {}, []
    for cell in cells:
        value = run_cell(''.join(cell['source']), names)
        if hasattr(value, '_repr_html_'):
            shown.append(value._repr_html_().count('<img'))
    assert shown == [6, 4, 4, 6]
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
    labels = {
        path.stem: read_mask(path)
        for path in (tmp_path / 'work_dirs/tutorial_labels/labels').iterdir()
    }
    assert {*labels} == {*store.image_ids}
    label = labels[image_id]
    assert names['overlay'].shape == (*label.shape, 3)
    present = {0, 255, *(c + 1 for c in store.classes_of(image_id))}
    assert set(np.unique(label).tolist()) <= present
    assert any((label > 0).any() for label in labels.values())
    assert 0 < names['result'].means['drop']['mIoU'] < 1
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
