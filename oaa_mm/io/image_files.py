"""Which file belongs to an image: the rule of the data sets."""

import os
from collections.abc import Iterable

from oaa_mm.checks import list_names, name_some

from .ids import find_id, image_id_of
from .image_folder import ImageFolder


def find_images(
    folder: str | os.PathLike | ImageFolder,
    names: Iterable[str] | None = None,
    *,
    suffix: str | None = None,
) -> dict[str, str]:
    """Find the file of each image, as every data set and tool does.

    The listed name decides, with its sub-folders and its suffix; else the
    file is called by the id and `suffix`, in any case. Leading folders that
    are not in `folder` are dropped, as in the lists of VOC.

    Args:
        folder (str | os.PathLike | ImageFolder): The folder of the images.
        names (Iterable[str] | None): Names or ids of the images, each once.
            Defaults to None: all images in the folder and its sub-folders.
        suffix (str | None): See :class:`ImageFolder`. Defaults to None: any
            suffix of images, where there is one such file alone.

    Returns:
        dict[str, str]: Image id -> path, in the order of `names`.

    Raises:
        FileNotFoundError: There is no such folder, or images are absent; the
            first of them are named.
        ValueError: Several files may be the image; they are named.
    """
    if not isinstance(folder, ImageFolder):
        folder = ImageFolder(folder, suffix)
    names = folder.all_ids() if names is None else list(names)
    found: dict[str, str] = {}
    absent, unclear = [], []
    for name in names:
        known = find_id(name, folder, folder.suffix)
        image_id = known or image_id_of(name, folder.suffix)
        try:
            if image_id in found:
                raise ValueError(
                    f'{found[image_id]} is the image of two listed names, one '
                    f'of them {name!r}; put the images in the sub-folders '
                    'that are listed, or list each once'
                )
            found[image_id] = folder.find(image_id, name)
        except FileNotFoundError:
            absent.append(folder.expected(image_id, name))
        except ValueError as error:
            unclear.append(str(error))
    if absent:
        raise FileNotFoundError(list_names(absent_images(len(names)), absent))
    if unclear:
        raise ValueError(name_some(unclear, 3))
    return found


def find_by_id(
    folder: str | os.PathLike,
    image_ids: Iterable[str],
    suffix: str = '.png',
    *,
    kind: str = 'masks',
    allow_missing: bool = False,
    remedy: str = '',
) -> dict[str, str]:
    """Find the files of images: masks, saliency maps, labels, exports.

    Args:
        folder (str | os.PathLike): It holds a file for each image, in the
            sub-folders of the images or in none.
        image_ids (Iterable[str]): The images.
        suffix (str): The end of the names after the ids, in any case. Defaults
            to ``'.png'``.
        kind (str): The kind of the files, for messages. Defaults to
            ``'masks'``.
        allow_missing (bool): Leave out images without a file. Defaults to
            False: they are an error.
        remedy (str): The advice of the error. Defaults to a general one.

    Returns:
        dict[str, str]: Image id -> path, in the order of `image_ids`.

    Raises:
        FileNotFoundError: There is no such folder, or files are absent.
        ValueError: Two files may be that of an image, or two images may have
            the same file; they are named.
    """
    try:
        files = ImageFolder(folder, suffix, strict=True)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'no such folder of {kind}: {folder}'
        ) from None
    found, absent = {}, []
    owner: dict[str, str] = {}
    for image_id in image_ids:
        known = find_id(image_id, files)
        if known is None:
            absent.append(files.expected(image_id))
            continue
        found[image_id] = path = files.find(known)
        if owner.setdefault(path, image_id) != image_id:
            raise ValueError(
                f'{path} fits the images {owner[path]!r} and {image_id!r}; '
                f'put the {kind} in the sub-folders that the images are in'
            )
    if absent and not allow_missing:
        text = absent_files(kind, len(absent) + len(found), remedy)
        raise FileNotFoundError(list_names(text, absent))
    return found


def absent_images(total: int) -> str:
    """The message where images are absent, for ``list_names``."""
    return (
        f'{{n}} of {total} listed images do not exist{{names}}. Check the '
        'folder of the images (`data_root` and `data_prefix.img_path` of a '
        'data set) and their suffix (`img_suffix`)'
    )


def absent_files(kind: str, total: int, remedy: str = '') -> str:
    """The message where files that belong to images are absent.

    Args:
        kind (str): See :func:`find_by_id`.
        total (int): The number of images.
        remedy (str): Its advice. Defaults to a general one.

    Returns:
        str: For :func:`oaa_mm.checks.list_names`.
    """
    text = f'{{n}} of {total} {kind} are absent{{names}}. '
    return text + (
        remedy
        or f'Check the folder and the suffix of the {kind}, or take the '
        'images that have none off the list'
    )
