"""The dense histogram of one image."""

from oaa_mm.evaluation.counts import add_images, count_image


def image_histogram(attention, mask, num_classes, **options):
    image = count_image(attention, mask, num_classes, **options)
    return add_images([image], num_classes).histogram
