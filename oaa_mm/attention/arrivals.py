"""Which pairs came in an epoch, for millions of them."""

from __future__ import annotations

from collections.abc import Iterator

from .by_image import Pair


class Arrivals:
    """The pairs of an epoch, and whether a map of each was accepted.

    Two bits for each class, in one integer for each image: a dictionary of
    pairs would take as much memory again as that of the maps.
    """

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._bits)

    def add(self, pair: Pair, accepted: bool) -> None:
        """Remember that a pair came, once or again.

        Args:
            pair (Pair): Image id and class.
            accepted (bool): Whether its map was accepted.
        """
        image_id, class_index = pair
        bits = (3 if accepted else 1) << 2 * class_index
        self._bits[image_id] = self._bits.get(image_id, 0) | bits

    def items(self) -> Iterator[tuple[Pair, bool]]:
        """Look at all pairs.

        Yields:
            tuple[Pair, bool]: A pair, and whether a map was accepted.
        """
        for image_id, bits in self._bits.items():
            for class_index in range((bits.bit_length() + 1) // 2):
                state = bits >> 2 * class_index & 3
                if state:
                    yield (image_id, class_index), state == 3

    def count(self) -> tuple[int, int]:
        """Count the pairs.

        Returns:
            tuple[int, int]: All pairs, and those with an accepted map.
        """
        states = [accepted for _, accepted in self.items()]
        return len(states), sum(states)
