"""docs/tutorial.ipynb: its cells run, in order, and show what they say."""

import ast
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient

from oaa_mm.attention import AttentionStore
from oaa_mm.io import read_mask

ROOT = Path(__file__).resolve().parents[2]


def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch):
    notebook = nbformat.read(ROOT / 'docs/tutorial.ipynb', as_version=4)
    cells = [c for c in notebook.cells if c.cell_type == 'code']
    assert not any(cell.outputs for cell in cells)
    place = {'metadata': {'path': str(tmp_path)}}
    NotebookClient(notebook, timeout=300, resources=place).execute()
    outputs = [output for cell in cells for output in cell.outputs]
    shown = [output.data for output in outputs if 'data' in output]
    pages = [data['text/html'] for data in shown if 'text/html' in data]
    assert [page.count('<img') for page in pages] == [6, 4, 4, 6]
    printed = [output.text for output in outputs if output.get('text')]
    monkeypatch.chdir(tmp_path)
    store = AttentionStore.load(
        'work_dirs/tutorial/attention_epoch_5.safetensors'
    )
    image_id, index = next(iter(store))
    height, width = store[image_id, index].shape
    first = f'{len(store)} maps; {image_id} {index} ({height}, {width})\n'
    assert first in printed
    assert len(store.image_ids) == 32
    out = Path('work_dirs/tutorial/inference')
    ids = list(store.image_ids[:4])
    for folder in ('vis', 'labels'):
        assert sorted(p.stem for p in (out / folder).iterdir()) == ids
    written = AttentionStore.load(out / 'attention.safetensors')
    # The tags of the list are those that the training saw.
    assert list(written) == [pair for pair in store if pair[0] in ids]
    folder = Path('work_dirs/tutorial_labels/labels')
    labels = {path.stem: read_mask(path) for path in folder.iterdir()}
    assert {*labels} == {*store.image_ids}
    present = {0, 255, *(c + 1 for c in store.classes_of(image_id))}
    assert set(np.unique(labels[image_id]).tolist()) <= present
    assert any((label % 255 > 0).any() for label in labels.values())
    scores = ast.literal_eval(printed[-1])
    assert 0 < scores['drop'] < 100
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
