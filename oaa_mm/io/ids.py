"""Image ids: the key of everything that belongs to an image."""

from __future__ import annotations

#: Bytes of the longest id. File systems take names of 255, and there have to
#: be class, suffix and the marks of a temporary file.
MAX_BYTES = 200


def check_image_id(image_id: str) -> str:
    """Return `image_id` if it can be the stem of a file's name.

    Ids become file names (maps, pseudo-labels), so one from a foreign file
    must not lead outside the folder it is meant for.

    Args:
        image_id (str): For example ``'2007_000032'``.

    Returns:
        str: The same id.

    Raises:
        ValueError: The id is empty, begins or ends with a blank, contains a
            path separator, a control character or nothing but dots, or has
            more than 200 bytes.
    """
    if (
        not isinstance(image_id, str)
        or not image_id
        or image_id != image_id.strip()
        or not image_id.strip('.')
        or not image_id.isprintable()
        or any(character in '/\\' for character in image_id)
        or len(image_id.encode()) > MAX_BYTES
    ):
        shown = image_id[:MAX_BYTES] if isinstance(image_id, str) else image_id
        raise ValueError(
            f'image id {shown!r} cannot be the stem of a file name: it '
            'must not be empty, contain path separators or control '
            f'characters, consist of dots alone or exceed {MAX_BYTES} bytes'
        )
    return image_id
