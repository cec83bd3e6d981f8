"""Making a whole folder of pseudo-labels, as a training reads it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from oaa_mm.attention import AttentionStore, agreement_of_stores
from oaa_mm.attention.record import DataRecord, record_data
from oaa_mm.attention.store_names import final_store
from oaa_mm.checks import check_number
from oaa_mm.io import atomic_write, write_json
from oaa_mm.io.fingerprint import (
    fingerprint,
    fingerprint_files,
    fingerprint_names,
)
from oaa_mm.io.label_folder import LABELS, LIST, MANIFEST, SUMMARY
from oaa_mm.io.manifest import Manifest, enter_folder
from oaa_mm.io.progress import progress
from oaa_mm.runs.lock import check_free, lock_folder, remove_leftovers
from oaa_mm.runs.processes import map_in_processes

from .inputs import ImageToLabel, images_to_label
from .refine import build_refine
from .rules import LabelRules
from .segmentor import read_segmentor
from .summary import LabelSummary
from .workers import LabelSettings, LabelWorker

TOOL = 'make_pseudo_labels'


def make_label_folder(
    store: str | os.PathLike,
    out: str | os.PathLike,
    *,
    img_dir: str | os.PathLike | None = None,
    class_names: Sequence[str] | None = None,
    image_list: str | os.PathLike | None = None,
    saliency_dir: str | os.PathLike | None = None,
    regions_dir: str | os.PathLike | None = None,
    targets: str | os.PathLike | None = None,
    accept_oaa_plus: bool = False,
    segmentor: str | os.PathLike | None = None,
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
        store (str | os.PathLike): An attention store; the folder of a run,
            whose last accumulated maps are meant; or a folder of the
            authors' ``{image_id}_{class}.png``.
        out (str | os.PathLike): The folder to make; its content is described
            in :mod:`oaa_mm.io.label_folder`.
        img_dir (str | os.PathLike | None): Folder of the images. Defaults to
            None: the files that the store has recorded.
        class_names (Sequence[str] | None): Names of the foreground classes.
            Defaults to None: those of the store, or VOC's where it has none.
        image_list (str | os.PathLike | None): One image id a line. Defaults
            to all images of the store.
        saliency_dir (str | os.PathLike | None): Folder of
            ``{image_id}.png``; for ``background='saliency'`` alone.
        regions_dir (str | os.PathLike | None): Folder of regions, see
            :mod:`.region_files`; for the step ``'regions'`` of `refine`.
            Defaults to None: superpixels.
        targets (str | os.PathLike | None): The accumulated maps that the
            model of `store` was trained on. The labels are made of the mean
            of both (:func:`oaa_mm.attention.average_with_targets`), or of the
            targets alone if the model reproduces them poorly
            (:class:`oaa_mm.attention.Agreement`); then images without any
            accepted attention are all 255. Defaults to None: no check.
        accept_oaa_plus (bool): Make the labels of `store` alone whatever this
            check says.
        segmentor (str | os.PathLike | None): Checkpoint of a segmentation
            network, trained on labels of a first round. Its scores replace
            the maps of `store`, which then says the tags of the images
            alone. Defaults to None.
        rules (LabelRules | None): The constants.
        refine (str): See :func:`oaa_mm.pseudo_labels.build_refine`.
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
    rules.check_saliency(saliency_dir is not None)
    rules.check_segmentor(segmentor is not None, targets is not None)
    check_number('workers', workers, low=1, integer=True)
    number, parts = part or (1, 1)
    check_number('the part', number, low=1, high=parts, integer=True)
    # Fails early where a package of the refinement is absent.
    build_refine(refine, refine_options, regions=regions_dir)
    trained = final_store(store)
    store, targets, verdict = _trusted(trained, targets, accept_oaa_plus)
    data = DataRecord.of_stores([AttentionStore.open(store)], store)
    class_names = class_names or data.class_names()
    if segmentor is not None:
        read_segmentor(segmentor, class_names)  # refused before any work
    images = images_to_label(
        store,
        img_dir,
        image_list=image_list,
        saliency_dir=saliency_dir,
        regions_dir=regions_dir,
        num_classes=len(class_names),
        allow_missing=allow_missing or store != trained,
    )
    settings = LabelSettings(
        store=str(store),
        out=str(out),
        targets=targets and str(targets),
        rules=rules,
        refine=refine,
        refine_options=dict(refine_options or {}),
        segmentor=segmentor and str(segmentor),
        class_names=class_names,
    )
    out = Path(out)
    manifest = _manifest(settings, images, image_list or store, data)
    manifest = replace(manifest, results=verdict)
    chosen = images[number - 1 :: parts]
    summary = LabelSummary(class_names)
    with _locked(out, part):
        enter_folder(
            out / MANIFEST,
            manifest,
            sorted((out / LABELS).rglob('*.png')),
            summaries=(out / SUMMARY, out / LIST),
            overwrite=overwrite,
        )
        worker = partial(LabelWorker, settings)
        results = map_in_processes(worker, chosen, workers)
        for result in progress(results, 'Pseudo-labels', len(chosen)):
            summary.add(*result)
        if part is None:
            write_json(out / SUMMARY, summary.to_dict())
            with atomic_write(out / LIST, 'w') as file:
                file.writelines(f'{image.image_id}\n' for image in images)
    return summary


def _trusted(
    store: Path, targets: str | os.PathLike | None, accept: bool
) -> tuple[Path, Path | None, dict[str, Any]]:
    """Of what labels are made, averaged with what, and how OAA+ was judged."""
    if targets is None:
        return store, None, {}
    targets = final_store(targets)
    agreement = agreement_of_stores(
        AttentionStore.open(store), AttentionStore.open(targets)
    )
    print(f'{store}: {agreement}')
    verdict = agreement.judge()
    if 'warning' in verdict:
        print(f'warning: {verdict["warning"]}')
    if accept:
        print(f'The labels are made of {store} alone.')
        return store, None, verdict
    if 'warning' not in verdict:
        print(f'The labels are made of the mean of it and {targets}.')
        return store, targets, verdict
    print(
        f'So the labels are made of {targets}, and are all 255 for images '
        'that it has no map of; --accept-oaa-plus makes them of '
        f'{store}.'
    )
    return targets, None, verdict


@contextmanager
def _locked(out: Path, part: tuple[int, int] | None) -> Iterator[None]:
    """Lock the folder against runs that would do the same work.

    Parts are made at the same time; the whole is not made during a part.
    """
    name = 'labels' if part is None else f'labels_{part[0]}_of_{part[1]}'
    with lock_folder(out, name, option='--out'):
        others = '.*.lock' if part is None else '.labels.lock'
        check_free(out, others, option='--out')
        remove_leftovers(out / LABELS)
        yield


def _manifest(
    settings: LabelSettings,
    images: Sequence[ImageToLabel],
    listed: str | os.PathLike,
    data: DataRecord,
) -> Manifest:
    files = {image.image_id: image.path for image in images}
    inputs = {
        'store': fingerprint(settings.store),
        # Where their pixels are not looked at, the sizes of images count.
        'images': fingerprint_files(
            list(files.values()),
            content=settings.refine != 'none' or bool(settings.segmentor),
        ),
        'list': fingerprint_names(listed, list(files)),
    }
    if images[0].saliency is not None:
        inputs['saliency'] = fingerprint_files([i.saliency for i in images])
    if settings.targets:
        inputs['targets'] = fingerprint(settings.targets)
    if settings.segmentor:
        inputs['segmentor'] = fingerprint(settings.segmentor)
    if images[0].regions is not None:
        inputs['regions'] = fingerprint_files([i.regions for i in images])
    return Manifest(
        tool=TOOL,
        parameters={
            **asdict(settings.rules),
            'refine': settings.refine,
            'refine_options': settings.refine_options,
        },
        inputs=inputs,
        data_set=record_data(
            files,
            settings.out,
            masks=data.find_masks(files),
            classes=settings.class_names,
            palette=data.palette,
            binary_masks=data.binary_masks,
        ),
    )
