"""A folder of pseudo-labels in numbers."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from prettytable import PrettyTable

from oaa_mm.io import IGNORE_INDEX


class LabelSummary:
    """Counts of labels, image by image.

    Args:
        class_names (Sequence[str]): Names of the C foreground classes.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.classes = [(name, c + 1) for c, name in enumerate(class_names)]
        self.others = [('background', 0), ('ignored', IGNORE_INDEX)]
        self.pixels: Counter[int] = Counter()
        self.images: Counter[int] = Counter()
        self.num_images = self.num_kept = 0
        self.dropped: list[str] = []

    def add(self, image_id: str, kept: bool, pixels: dict[int, int]) -> None:
        """Count one label.

        Args:
            image_id (str): Its image.
            kept (bool): Whether it was there already.
            pixels (dict[int, int]): Label value -> number of its pixels.
        """
        self.num_images += 1
        self.num_kept += kept
        self.pixels.update(pixels)
        self.images.update(pixels.keys())
        if set(pixels) == {IGNORE_INDEX}:
            self.dropped.append(image_id)

    def share(self, value: int) -> float:
        """The share of all pixels that have a label value, in [0, 1].

        Args:
            value (int): 0 background, c + 1 class c, 255 ignored.

        Returns:
            float: The share; 0 where there are no pixels.
        """
        return self.pixels[value] / max(self.pixels.total(), 1)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain types for JSON.

        Returns:
            dict[str, Any]: Counts and shares; classes that no label holds
            are 0.
        """
        names = [*self.others, *self.classes]
        return {
            'images': self.num_images,
            'dropped_images': len(self.dropped),
            'pixels': self.pixels.total(),
            'share': {name: self.share(value) for name, value in names},
            'images_with': {name: self.images[v] for name, v in self.classes},
            'dropped': self.dropped,
        }

    def table(self) -> str:
        """The summary as text, classes that occur only.

        Returns:
            str: A table and a sentence.
        """
        table = PrettyTable(['label', '% of pixels', 'images'], align='r')
        table.align['label'] = 'l'
        for name, value in (*self.others, *self.classes):
            if value in (0, IGNORE_INDEX) or self.images[value]:
                share = f'{100 * self.share(value):.2f}'
                table.add_row([name, share, self.images[value]])
        return (
            f'{table.get_string()}\n{self.num_images} images '
            f'({self.num_kept} were there already); {len(self.dropped)} have '
            'too little foreground and are all 255'
        )
