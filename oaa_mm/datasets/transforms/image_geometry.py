"""Which part of an image is visible, how large and which way round."""

from dataclasses import dataclass

from oaa_mm.attention import Placement

from .axis import AxisTrace


@dataclass(frozen=True)
class ImageGeometry:
    """The state of an image after the transforms so far.

    Attributes:
        shape (tuple[int, int]): Present height and width in pixels.
        frame (tuple[int, int]): Size of the whole image scaled by every resize
            but for the random part of it.
        box (tuple[float, float, float, float]): Top, left, bottom, right of
            the part still visible, as fractions of the image.
        flips (tuple[bool, bool]): Whether it is flipped top-bottom and
            left-right.
    """

    shape: tuple[int, int]
    frame: tuple[int, int]
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    flips: tuple[bool, bool] = (False, False)

    @property
    def placement(self) -> Placement:
        """The placement in pixels of the frame."""
        whole = self.box == (0.0, 0.0, 1.0, 1.0)
        height, width = self.frame
        top, left, bottom, right = self.box
        box = (top * height, left * width, bottom * height, right * width)
        return Placement(
            frame=self.frame,
            box=None if whole else box,
            flip_vertical=self.flips[0],
            flip_horizontal=self.flips[1],
        )

    def after(
        self,
        shape: tuple[int, int],
        traces: tuple[AxisTrace, AxisTrace],
        frame: tuple[int, int] | None,
    ) -> 'ImageGeometry':
        """The geometry after one more transform.

        Args:
            shape (tuple[int, int]): New height and width in pixels.
            traces (tuple[AxisTrace, AxisTrace]): The effect on the rows and on
                the columns.
            frame (tuple[int, int] | None): New size of the frame; None where
                it is scaled as the visible part is.

        Returns:
            ImageGeometry: The new geometry.
        """
        if frame is None and any(trace.resized for trace in traces):
            sides = zip(self.frame, shape, self.shape, strict=True)
            frame = tuple(max(1, round(f * n / o)) for f, n, o in sides)
        sides, flips = [], []
        for axis, trace in enumerate(traces):
            low, high = self.box[axis], self.box[axis + 2]
            first, last = trace.kept
            length = self.shape[axis]
            if self.flips[axis]:
                first, last = length - last, length - first
            extent = (high - low) / length
            sides.append(
                (
                    low if first == 0 else low + first * extent,
                    high if last == length else low + last * extent,
                )
            )
            flips.append(self.flips[axis] ^ trace.flipped)
        (top, bottom), (left, right) = sides
        box = (top, left, bottom, right)
        return ImageGeometry(shape, frame or self.frame, box, tuple(flips))
