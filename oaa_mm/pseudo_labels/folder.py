"""A folder of pseudo-labels, as a segmentation config reads it.

::

    OUT/labels/{image_id}.png  palette PNGs: 0 background, c + 1, 255 ignored
    OUT/train.txt              the list of images, written when all are done
    OUT/summary.json           shares of the labels, images that were dropped
    OUT/manifest.json          parameters and inputs that made all this
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from oaa_mm.checks import check_number
from oaa_mm.io import atomic_write
from oaa_mm.io.fingerprint import fingerprint, fingerprint_names
from oaa_mm.io.manifest import (
    Manifest,
    differences,
    read_manifest,
    write_manifest,
)
from oaa_mm.io.progress import progress
from oaa_mm.runs.lock import check_free, lock_folder, remove_leftovers

from .job import LabelJob, LabelTask
from .refine import build_refine
from .rules import LabelRules
from .summary import LabelSummary
from .tasks import plan_tasks
from .workers import run_tasks

TOOL = 'make_pseudo_labels'


def make_label_folder(
    store: str | os.PathLike,
    out: str | os.PathLike,
    *,
    img_dir: str | os.PathLike,
    class_names: Sequence[str],
    image_list: str | os.PathLike | None = None,
    saliency_dir: str | os.PathLike | None = None,
    rules: LabelRules | None = None,
    refine: str = 'none',
    refine_options: dict[str, Any] | None = None,
    allow_missing: bool = False,
    overwrite: bool = False,
    workers: int = 1,
    part: tuple[int, int] | None = None,
) -> LabelSummary:
    """Make the pseudo-labels of many images, or go on where it stopped.

    Labels that are there are kept if the folder's manifest says that the same
    parameters and inputs made them.

    Args:
        store (str | os.PathLike): An attention store, or a folder of the
            authors' ``{image_id}_{class}.png``.
        out (str | os.PathLike): The folder to make; see the top of this
            module for what comes into it.
        img_dir (str | os.PathLike): Folder of the images.
        class_names (Sequence[str]): Names of the foreground classes.
        image_list (str | os.PathLike | None): One image id a line. Defaults
            to all images of the store.
        saliency_dir (str | os.PathLike | None): Folder of
            ``{image_id}.png``; for ``background='saliency'`` alone.
        rules (LabelRules | None): The constants.
        refine (str): ``'none'``, ``'crf'`` or ``'par'``.
        refine_options (dict[str, Any] | None): Parameters of the refinement.
        allow_missing (bool): Whether listed images may lack maps; their
            labels are all 255.
        overwrite (bool): Delete the labels in `out` that other parameters
            made, in place of an error.
        workers (int): Processes. Defaults to 1.
        part (tuple[int, int] | None): (i, n) makes the i-th of n parts of
            the images, i from 1, and writes neither list nor summary: for
            several machines with one file system. Defaults to None: all.

    Returns:
        LabelSummary: Counts of the labels.

    Raises:
        FileNotFoundError: Inputs are absent; they are named.
        FolderInUseError: Another process makes these labels; it is named.
        ValueError: Inputs do not fit, or `out` holds something else.
    """
    rules = rules or LabelRules()
    _check(rules, saliency_dir, workers)
    _check_part(part)
    build_refine(refine, refine_options)  # whether it can be had
    tasks = plan_tasks(
        store,
        img_dir,
        image_list=image_list,
        saliency_dir=saliency_dir,
        num_classes=len(class_names),
        allow_missing=allow_missing,
    )
    out = Path(out)
    job = LabelJob(
        store=str(store),
        label_dir=str(out / 'labels'),
        rules=rules,
        refine=refine,
        refine_options=dict(refine_options or {}),
    )
    listed = store if image_list is None else image_list
    manifest = _manifest(job, tasks, listed)
    with _locked(out, part):
        _enter_folder(out, manifest, overwrite)
        if part is not None:
            number, parts = part
            return _run(job, tasks[number - 1 :: parts], class_names, workers)
        summary = _run(job, tasks, class_names, workers)
        _write_json(out / 'summary.json', summary.to_dict())
        with atomic_write(out / 'train.txt', 'w') as file:
            file.writelines(f'{task.image_id}\n' for task in tasks)
    return summary


@contextmanager
def _locked(out: Path, part: tuple[int, int] | None) -> Iterator[None]:
    """Keep others out who would do the same work.

    Parts work side by side; all of it, not beside a part.
    """
    remedy = 'name another folder with --out'
    name = 'labels' if part is None else f'labels_{part[0]}_of_{part[1]}'
    with lock_folder(out, name, remedy=remedy):
        others = '.*.lock' if part is None else '.labels.lock'
        check_free(out, others, remedy=remedy)
        for folder in (out, out / 'labels'):
            remove_leftovers(folder)
        yield


def _check(
    rules: LabelRules, saliency_dir: str | os.PathLike | None, workers: int
) -> None:
    check_number('workers', workers, low=1, integer=True)
    needed = rules.background == 'saliency'
    if needed and saliency_dir is None:
        raise ValueError(
            "background 'saliency' needs a folder of saliency maps "
            "(--saliency-dir); without them choose --background 'power' or "
            "'constant'"
        )
    if not needed and saliency_dir is not None:
        raise ValueError(
            f'background {rules.background!r} takes no saliency maps; leave '
            "--saliency-dir out, or choose --background 'saliency'"
        )


def _check_part(part: tuple[int, int] | None) -> None:
    if part is not None and not 1 <= part[0] <= part[1]:
        raise ValueError(
            f'part should be I/N with 1 <= I <= N, but got {part[0]}/{part[1]}'
        )


def _manifest(
    job: LabelJob, tasks: Sequence[LabelTask], listed: str | os.PathLike
) -> Manifest:
    ids = [task.image_id for task in tasks]
    images = [Path(task.image) for task in tasks]
    inputs = {
        'store': fingerprint(job.store),
        'images': fingerprint(
            images[0].parent,
            files=[path.name for path in images],
            content=job.refine != 'none',  # else sizes are all that counts
        ),
        'list': fingerprint_names(listed, ids),
    }
    saliency = [Path(t.saliency) for t in tasks if t.saliency is not None]
    if saliency:
        inputs['saliency'] = fingerprint(
            saliency[0].parent, files=[path.name for path in saliency]
        )
    return Manifest(
        tool=TOOL,
        parameters={
            **asdict(job.rules),
            'refine': job.refine,
            'refine_options': dict(job.refine_options),
        },
        inputs=inputs,
    )


def _enter_folder(out: Path, manifest: Manifest, overwrite: bool) -> None:
    """Make sure that labels in the folder are of this very kind."""
    path = out / 'manifest.json'
    labels = sorted((out / 'labels').glob('*.png'))
    if not path.is_file():
        if labels:
            raise ValueError(
                f'{out / "labels"} holds {len(labels)} PNG files, but no '
                f'{path} says what made them, so nothing was written; name a '
                'new folder'
            )
        write_manifest(path, manifest)
        return
    old = read_manifest(path)
    if old.tool != TOOL:
        raise ValueError(
            f'{path} is of {old.tool!r}, not of pseudo-labels; name another '
            'folder'
        )
    changes = differences(old, manifest)
    if changes and labels and not overwrite:
        raise ValueError(
            f'{out} holds labels that were made differently:\n  '
            + '\n  '.join(changes)
            + '\nName another folder, or give --overwrite to delete them and '
            'start anew.'
        )
    if changes:
        for file in (*labels, out / 'summary.json', out / 'train.txt'):
            file.unlink(missing_ok=True)
        write_manifest(path, manifest)


def _run(
    job: LabelJob,
    tasks: Sequence[LabelTask],
    class_names: Sequence[str],
    workers: int,
) -> LabelSummary:
    summary = LabelSummary(class_names)
    for result in progress(
        run_tasks(job, tasks, workers=workers), 'Pseudo-labels', len(tasks)
    ):
        summary.add(result)
    return summary


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_write(path, 'w') as file:
        json.dump(content, file, indent=1, allow_nan=False)
        file.write('\n')
