"""Images of a training set, whatever data sets are joined in it."""

from __future__ import annotations

from collections.abc import Iterable


def check_distinct(images: Iterable[tuple[str, str]]) -> None:
    """Refuse two images of one id, whose maps would become one.

    Args:
        images (Iterable[tuple[str, str]]): The id and the file of each image;
            an image may occur several times.

    Raises:
        ValueError: Two files have the same id; both are named.
    """
    files: dict[str, str] = {}
    for image_id, path in images:
        first = files.setdefault(image_id, path)
        if first != path:
            raise ValueError(
                f'{first} and {path} both have the image id {image_id!r}, so '
                'that their attention maps would be fused into one. Give the '
                "joined data sets prefixes, ImageLevelDataset(id_prefix='a/')"
            )
