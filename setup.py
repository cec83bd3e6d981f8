"""Installation of oaa_mm."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

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


class BuildWithMim(build_py):
    """Puts configs, tools and the model index into `.mim` of the package.

    mim and mmengine look for them in that folder of an installed package. A
    wheel gets copies, an editable installation links to its own files.
    """

    def mim_files(self) -> dict[str, str]:
        """Built file -> its source."""
        sources = [ROOT / 'model-index.yml']
        for folder in ('configs', 'tools'):
            sources += [
                path
                for path in sorted((ROOT / folder).rglob('*'))
                if path.is_file() and path.suffix != '.pyc'
            ]
        target = Path(self.build_lib, 'oaa_mm/.mim')
        return {
            str(target / path.relative_to(ROOT)): str(path) for path in sources
        }

    def run(self) -> None:
        """Build the package, then copy or link."""
        super().run()
        if self.editable_mode:
            links = ROOT / 'oaa_mm/.mim'
            if links.is_symlink():
                links.unlink()
            shutil.rmtree(links, ignore_errors=True)
            links.mkdir()
            for name in ('configs', 'tools', 'model-index.yml'):
                try:
                    (links / name).symlink_to(Path('../..', name))
                except OSError:  # Windows demands a privilege
                    shutil.rmtree(links)
                    break
            return
        # What a former build has left would get into the wheel as well.
        shutil.rmtree(Path(self.build_lib, 'oaa_mm/.mim'), ignore_errors=True)
        for built, source in self.mim_files().items():
            self.mkpath(str(Path(built).parent))
            self.copy_file(source, built)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """All files that are built."""
        outputs = super().get_outputs(include_bytecode)
        return outputs if self.editable_mode else [*outputs, *self.mim_files()]


EXTRAS = {
    name: requirements(name)
    for name in ('mm', 'coco', 'crf', 'regions', 'vgg', 'docs', 'tests')
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
    cmdclass={'build_py': BuildWithMim},
    package_data={
        'oaa_mm': ['py.typed'],
        'oaa_mm.report': ['templates/*'],
        'oaa_mm.tags': ['*.gz'],
    },
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
