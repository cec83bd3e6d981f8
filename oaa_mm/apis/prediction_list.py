"""Predictions that a notebook shows as pictures."""

from collections.abc import Sequence

from oaa_mm.io.notebook import ShownInNotebooks
from oaa_mm.registry import VIEWS
from oaa_mm.visualization import NUM_THUMBNAILS, thumbnail, thumbnails

from .inputs import ImageInput


class Predictions(ShownInNotebooks, list):
    """Results of :func:`.pack_prediction`, which a notebook shows as pictures.

    Args:
        images (Sequence[ImageInput]): The images that they may be of.
        class_names (Sequence[str]): Names of the C classes.
    """

    view = 'predictions'

    def __init__(
        self, images: Sequence[ImageInput], class_names: Sequence[str]
    ) -> None:
        super().__init__()
        self.images = {image.image_id: image for image in images}
        self.class_names = class_names


@VIEWS.register_module('predictions')
def show_predictions(predictions: Predictions) -> str:
    """Draw the first images with their maps and labels.

    Args:
        predictions (Predictions): The predictions.

    Returns:
        str: HTML.
    """
    shown = predictions[:NUM_THUMBNAILS]
    pictures = [
        thumbnail(
            one['image_id'],
            predictions.images[one['image_id']].read(),
            predictions.class_names,
            attention=one['attention'],
            label=one['label'],
        )
        for one in shown
    ]
    caption = f'{len(predictions)} predictions, {len(shown)} of them shown'
    return thumbnails(pictures, caption)
