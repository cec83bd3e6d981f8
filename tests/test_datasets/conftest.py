"""Fixtures of the tests of data sets."""

import pytest
from ramp_images import HEIGHT, WIDTH, ramps, write_image
from small_dataset import write_images


@pytest.fixture
def folder(tmp_path):
    """A folder with the images of `small_dataset`."""
    write_images(tmp_path)
    return tmp_path


@pytest.fixture(scope='session')
def ramp_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ramps')
    return write_image(folder, ramps(HEIGHT, WIDTH))
