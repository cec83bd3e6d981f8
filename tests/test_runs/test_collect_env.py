"""The report of the environment names what a bug report needs."""

from importlib.metadata import version

import oaa_mm
from oaa_mm.runs.collect_env import collect_env


def test_versions_and_distributions_are_named():
    found = collect_env()
    assert found['oaa_mm'] == oaa_mm.__version__
    assert {'PyTorch', 'MMEngine', 'OpenCV', 'CUDA available'} <= set(found)
    assert f'safetensors {version("safetensors")}' in found['distributions']
