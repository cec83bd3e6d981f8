"""Making sure that a store has the maps that are wanted of it."""

import os
from collections.abc import Collection, Sequence

from oaa_mm.checks import name_some


def check_maps(
    store: str | os.PathLike,
    wanted: Sequence[str],
    known: Collection[str],
    *,
    remedy: str,
    allow_missing: bool = False,
    what: str = 'images',
) -> list[str]:
    """Find images that a store has no map for.

    Args:
        store (str | os.PathLike): The store's file, for the message.
        wanted (Sequence[str]): Names of the images that should have a map.
        known (Collection[str]): Names of the images that have one.
        remedy (str): A sentence that says what mends a missing map.
        allow_missing (bool): Whether some images may have none. Defaults to
            False.
        what (str): The kind of things that are named. Defaults to
            ``'images'``.

    Returns:
        list[str]: The names without a map.

    Raises:
        ValueError: A map is missing although that is not allowed, or all
            are, as in the store of another data set.
    """
    missing = [name for name in wanted if name not in known]
    none = len(missing) == len(wanted)
    if missing and none:
        remedy = (
            'Is it the store of another data set or split? It has maps of '
            f'{name_some(sorted(known), 3) or "nothing"}.'
        )
    if missing and (none or not allow_missing):
        raise ValueError(
            f'{store} has no map for {len(missing)} of {len(wanted)} {what}: '
            f'{name_some(missing)}. {remedy}'
        )
    return missing
