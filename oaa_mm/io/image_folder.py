"""The image files in a folder, by id."""

import os
from collections.abc import Sequence
from functools import cache
from unicodedata import normalize

from .ids import IMAGE_SUFFIXES, find_id


class ImageFolder:
    """The image files in a folder, each sub-folder of it listed once.

    ``image_id in folder`` tells whether there is a file of this id.

    Args:
        folder (str | os.PathLike): The folder. A sub-folder belongs to the
            id: ``a/000`` has the file ``a/000.png``.
        suffix (str | None): End of the names, in any case, such as
            ``'.jpg'`` or ``'_sat.jpg'``; files without it count only where a
            list names them with their suffix. Defaults to None: any suffix of
            images.
        strict (bool): Whether files without `suffix` never count. Defaults to
            False.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: The suffix is no text or lacks its dot.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        suffix: str | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self.folder = os.fspath(folder)
        self.suffix = suffix
        self.strict = strict
        self._list = cache(self._list)  # of this object alone
        self._prefix = cache(self._prefix)
        if not isinstance(suffix or '', str) or f'.{suffix}' in IMAGE_SUFFIXES:
            raise ValueError(
                "a suffix (img_suffix, seg_map_suffix) should be like '.jpg' "
                f"or '_sat.jpg', but got {suffix!r}; list others by name"
            )
        if not os.path.isdir(self.folder or '.'):
            raise FileNotFoundError(
                f'there is no folder {self.folder}; check the folder of the '
                'files (`data_root` and `data_prefix` of a data set)'
            )

    def __contains__(self, image_id: str) -> bool:
        sub, _, stem = image_id.rpartition('/')
        return stem in self._list(sub)

    def find(self, image_id: str, name: str | None = None) -> str:
        """The file of an image.

        Args:
            image_id (str): The id; its leading folders are dropped where
                they are not there.
            name (str | None): How a list or table names the image; a suffix
                in it decides between several files. Defaults to None.

        Returns:
            str: Its path.

        Raises:
            FileNotFoundError: There is none.
            ValueError: There are several, and nothing decides between them.
        """
        names = self._names(image_id)
        if not names:
            image_id = find_id(image_id, self) or image_id
            names = self._names(image_id)
        listed = _listed_file(image_id, name)
        if listed in names:
            names = [listed]
        elif listed:
            names = [n for n in names if n.lower() == listed.lower()]
        elif self.suffix:
            names = [n for n in names if _ends_in(n, self.suffix)]
        folder = self._prefix(image_id.rpartition('/')[0])
        paths = [folder + name for name in names]
        if len(paths) > 1:
            raise ValueError(
                f'image {image_id!r} may be any of {", ".join(paths)}; list '
                'it with its suffix, name the suffix of the images '
                '(img_suffix), or move other files to a folder of their own'
            )
        if not paths:
            raise FileNotFoundError(
                f'there is no image {self.expected(image_id, name)}'
            )
        return paths[0]

    def all_ids(self, *, recursive: bool = True) -> list[str]:
        """The ids of all images in the folder, sorted.

        Args:
            recursive (bool): Whether those in sub-folders count. Defaults to
                True.

        Returns:
            list[str]: The ids.
        """
        found: set[str] = set()
        for path, folders, _ in os.walk(self.folder):
            visible = [f for f in folders if not f.startswith('.')]
            folders[:] = visible if recursive else []
            sub = os.path.relpath(path, self.folder).replace(os.sep, '/')
            sub = '' if sub == '.' else sub
            found.update(
                f'{sub}/{stem}'.removeprefix('/')
                for stem, names in self._list(sub).items()
                if not self.suffix
                or any(_ends_in(name, self.suffix) for name in names)
            )
        return sorted(found)

    def _names(self, image_id: str) -> Sequence[str]:
        sub, _, stem = image_id.rpartition('/')
        return self._list(sub).get(stem, ())

    def _list(self, sub: str) -> dict[str, tuple[str, ...]]:
        """Stem -> names of the files in a sub-folder."""
        files: dict[str, tuple[str, ...]] = {}
        try:
            names = sorted(os.listdir(os.path.join(self.folder, sub)))
        except (OSError, ValueError):
            names = []
        for name in names:
            if name.startswith('.'):
                continue
            if self.suffix and _ends_in(name, self.suffix):
                stem = name[: -len(self.suffix)]
            elif not self.strict and name.lower().endswith(IMAGE_SUFFIXES):
                stem = name.rpartition('.')[0]
            else:
                continue
            # Tuples, which the collector of garbage need not look at.
            files[stem] = (*files.get(stem, ()), name)
        return files

    def _prefix(self, sub: str) -> str:
        """The part of a path before the names of files in a sub-folder."""
        return os.path.join(self.folder, sub, '')

    def expected(self, image_id: str, name: str | None = None) -> str:
        """Where the file of an absent image should be, for messages."""
        path = os.path.join(self.folder, f'{image_id}{self.suffix or ".*"}')
        if listed := _listed_file(image_id, name):
            path = self._prefix(image_id.rpartition('/')[0]) + listed
        if others := self._names(image_id):
            return f'{path} (there is {", ".join(others)})'
        # macOS takes accents off their letters, which looks the same.
        forms = [normalize(form, image_id) for form in ('NFC', 'NFD')]
        if any(map(self._names, forms)):
            path += ' (there is a file whose name looks the same, but has '
            path += 'other Unicode characters; rename one of the two)'
        return path


def _listed_file(image_id: str, name: str | None) -> str:
    """The file that a name with the suffix of an image means, or ''."""
    file = (name or '').replace('\\', '/').rpartition('/')[2]
    stem = image_id.rpartition('/')[2]
    means = file.lower().endswith(IMAGE_SUFFIXES) and file != stem
    return file if means else ''


def _ends_in(name: str, suffix: str) -> bool:
    return len(name) > len(suffix) and name.lower().endswith(suffix.lower())
