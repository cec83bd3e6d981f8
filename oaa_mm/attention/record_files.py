"""The files of many images, recorded in little space.

The file of an image is ``{root}/{image_id without prefix}{suffix}``; where
that root no longer exists, as in a project that was moved, `relative` leads to
it from the folder of the store or manifest. All groups but the first, which is
the largest, list their images.
"""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def group_files(
    files: Mapping[str, str], folder: str | os.PathLike
) -> list[dict[str, Any]]:
    """Group files by the rule that leads from image ids to them.

    Args:
        files (Mapping[str, str]): Image id -> file.
        folder (str | os.PathLike): Where the record will lie.

    Returns:
        list[dict[str, Any]]: The groups, JSON types.
    """
    groups = defaultdict(list)
    for image_id, path in sorted(files.items()):
        groups[_split(image_id, os.path.abspath(path))].append(image_id)
    # The largest first; a stable order of all others.
    ordered = sorted(groups.items(), key=lambda g: (-len(g[1]), g[0]))
    return [
        {
            **{'root': root, 'relative': os.path.relpath(root, folder)},
            **{'prefix': prefix, 'suffix': suffix},
            **({'ids': ids} if number else {}),
        }
        for number, ((root, prefix, suffix), ids) in enumerate(ordered)
    ]


def _split(image_id: str, path: str) -> tuple[str, str, str]:
    """The root, prefix and suffix that lead from an id to its file."""
    path = path.replace(os.sep, '/')
    parts = image_id.split('/')
    tails = ['/'.join(parts[start:]) for start in range(len(parts))]
    for tail in (*tails, Path(path).stem):
        root, found, suffix = path.rpartition(f'/{tail}')
        if found and '/' not in suffix and image_id.endswith(tail):
            return root or '/', image_id.removesuffix(tail), suffix
    return os.path.dirname(path), image_id, os.path.basename(path)


class GroupedFiles:
    """Files by image id, from their groups; true where there are some.

    Args:
        groups (Sequence[Mapping[str, Any]]): From :func:`group_files`.
        place (str | os.PathLike): The file that holds the record.

    Raises:
        KeyError: A group lacks an entry.
        TypeError: An entry is of another type.
    """

    def __init__(
        self, groups: Sequence[Mapping[str, Any]], place: str | os.PathLike
    ) -> None:
        rules = [
            (_existing(group, place), group['prefix'] + '', group['suffix'])
            for group in groups
        ]
        self._usual = rules[0] if rules else None
        self._others = {
            image_id: rule
            for rule, group in zip(rules, groups, strict=True)
            for image_id in group.get('ids', ())
        }

    def __bool__(self) -> bool:
        return self._usual is not None

    def file_of(self, image_id: str) -> str:
        """The file of an image, whether it is there or not.

        Args:
            image_id (str): The image.

        Returns:
            str: Its path.
        """
        root, prefix, suffix = self._others.get(image_id, self._usual)
        name = image_id.removeprefix(prefix) + suffix
        return os.path.join(root, name)


def _existing(group: Mapping[str, Any], place: str | os.PathLike) -> str:
    """The recorded folder, or where it is after the project was moved."""
    folder = os.path.dirname(os.path.abspath(place))
    moved = os.path.normpath(os.path.join(folder, group['relative']))
    gone = not os.path.isdir(group['root'])
    return moved if gone and os.path.isdir(moved) else group['root']
