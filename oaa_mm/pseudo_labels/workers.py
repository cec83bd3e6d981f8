"""The labels of images, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from oaa_mm.attention import AttentionStore, average_with_targets
from oaa_mm.io import read_grey, read_image, write_mask
from oaa_mm.io.label_folder import label_file
from oaa_mm.io.masks import finished_mask

from .compose import compose_label, label_image
from .inputs import ImageToLabel
from .refine import build_refine
from .rules import LabelRules
from .segmentor import TaggedSegmentor


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """How the labels of a folder are made; the same for all images.

    Args:
        store (str): An attention store, or a folder in the authors' format.
        out (str): The folder that is made, see
            :mod:`oaa_mm.io.label_folder`.
        targets (str | None): The accumulated maps that the maps of `store`
            are averaged with. Defaults to None.
        rules (LabelRules): The constants.
        refine (str): See :func:`oaa_mm.pseudo_labels.build_refine`.
        refine_options (Mapping[str, Any]): Parameters of the refinement.
        segmentor (str | None): Checkpoint of a segmentation network whose
            scores replace the maps of `store`, which then says the tags
            alone. Defaults to None.
        class_names (Sequence[str]): The foreground classes.
    """

    store: str
    out: str
    targets: str | None = None
    rules: LabelRules = field(default_factory=LabelRules)
    refine: str = 'none'
    refine_options: Mapping[str, Any] = field(default_factory=dict)
    segmentor: str | None = None
    class_names: Sequence[str] = ()


class LabelWorker:
    """Makes labels one after the other, with a reader of its own.

    Args:
        settings (LabelSettings): The settings of all images.
    """

    def __init__(self, settings: LabelSettings) -> None:
        self.settings = settings
        self.store = AttentionStore.open(settings.store)
        self.targets = settings.targets and AttentionStore.open(
            settings.targets
        )
        self.negatives = frozenset(self.store.negatives)
        self.segmentor = settings.segmentor and TaggedSegmentor(
            settings.segmentor, settings.class_names
        )

    def __call__(self, image: ImageToLabel) -> tuple[str, bool, dict]:
        """Make and write the label of an image, unless it is there.

        Args:
            image (ImageToLabel): The image.

        Returns:
            tuple[str, bool, dict]: The arguments of :meth:`LabelSummary.add`.

        Raises:
            ValueError: A file does not fit; it is named.
        """
        path = label_file(self.settings.out, image.image_id)
        label = finished_mask(path, image.size)
        kept = label is not None
        if not kept:
            label = self._make(image)
            write_mask(path, label)
        counts = np.bincount(label.ravel()).tolist()
        pixels = {value: n for value, n in enumerate(counts) if n}
        return image.image_id, kept, pixels

    def _make(self, image: ImageToLabel) -> np.ndarray:
        if image.image_id in self.negatives:
            return np.zeros(image.size, np.uint8)
        pixels = saliency = None
        refine = build_refine(
            self.settings.refine,
            self.settings.refine_options,
            regions=image.regions,
        )
        if refine is not None or self.segmentor:
            pixels = read_image(image.path)
        if image.saliency is not None:
            saliency = read_grey(image.saliency)
        maps = self.store.maps_of(image.image_id)
        if self.targets is not None:
            targets = self.targets.maps_of(image.image_id)
            maps = average_with_targets(maps, targets)
        inputs = {'saliency': saliency, 'image': pixels, 'refine': refine}
        rules = self.settings.rules
        if maps and self.segmentor:
            scores = self.segmentor(pixels, sorted(maps))
            return compose_label(scores, **inputs, **vars(rules))
        return label_image(maps, image.size, rules, **inputs)
