"""Installation of oaa_mm."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def version() -> str:
    """Version of the package, without importing it."""
    scope = {}
    exec((ROOT / 'oaa_mm/version.py').read_text(encoding='utf-8'), scope)
    return scope['__version__']


def requirements(name: str) -> list[str]:
    """Lines of `requirements/{name}.txt` that are requirements."""
    lines = (ROOT / f'requirements/{name}.txt').read_text(encoding='utf-8')
    return [line for line in lines.splitlines() if line.strip()[:1] not in '#']


EXTRAS = {
    name: requirements(name) for name in ('mm', 'crf', 'vgg', 'docs', 'tests')
}

setup(
    name='oaa_mm',
    version=version(),
    description='Online Attention Accumulation (OAA, OAA+) for '
    'MMSegmentation: from image-level tags to segmentation models',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    python_requires='>=3.10',
    packages=find_packages(include=['oaa_mm', 'oaa_mm.*']),
    package_data={'oaa_mm.visualization.report': ['templates/*']},
    install_requires=requirements('runtime'),
    extras_require=EXTRAS,
    keywords='weakly supervised semantic segmentation, class activation map, '
    'mmsegmentation, mmengine',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'License :: OSI Approved :: Apache Software License',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
)
