"""The dense histogram of one image."""

import numpy as np

from oaa_mm.evaluation.counts import count_image


def image_histogram(attention, mask, num_classes, **options):
    histogram = np.zeros((num_classes + 1, num_classes, 256), np.int64)
    count_image(attention, mask, num_classes, **options).add_to(histogram)
    return histogram
