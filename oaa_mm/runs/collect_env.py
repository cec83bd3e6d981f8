"""The facts of a bug report: ``python -m oaa_mm.runs.collect_env``."""

from importlib.metadata import packages_distributions, version

from mmengine.utils.dl_utils import collect_env as mmengine_env

from oaa_mm.io.manifest import installed_versions

#: Import packages whose distributions are printed.
_RELATED = ('mmcv', 'mmengine', 'mmseg', 'cv2', 'safetensors', 'pydensecrf')


def collect_env() -> dict[str, str]:
    """Versions, devices, and which distributions provide mmcv and the like.

    Returns:
        dict[str, str]: Name -> version or device.
    """
    installed = packages_distributions()
    names = {name for part in _RELATED for name in installed.get(part, ())}
    found = ', '.join(f'{name} {version(name)}' for name in sorted(names))
    return {**mmengine_env(), **installed_versions(), 'distributions': found}


if __name__ == '__main__':
    for name, value in collect_env().items():
        print(f'{name}: {value}')
