"""What a bug report should say: ``python -m oaa_mm.runs.collect_env``."""

from __future__ import annotations

from importlib.metadata import distributions

from mmengine.utils.dl_utils import collect_env as mmengine_env

from oaa_mm.io.manifest import installed_versions

#: Parts of the names of distributions that are worth a line.
_RELATED = ('mmcv', 'mmengine', 'mmseg', 'opencv', 'safetensors', 'densecrf')


def collect_env() -> dict[str, str]:
    """Versions, devices, and which distributions provide mmcv and the like.

    Returns:
        dict[str, str]: Name -> what was found.
    """
    installed = {
        dist.metadata['Name']: dist.version
        for dist in distributions()
        if any(part in (dist.metadata['Name'] or '') for part in _RELATED)
    }
    found = ', '.join(f'{n} {v}' for n, v in sorted(installed.items()))
    return {**mmengine_env(), **installed_versions(), 'distributions': found}


if __name__ == '__main__':
    for name, value in collect_env().items():
        print(f'{name}: {value}')
