"""Registries of oaa_mm: scope `oaa_mm`, mirrored into mmseg's registries.

The registries are children of mmengine's roots, so ``type='oaa_mm.OAAHook'``
works in any config, under any default scope and without `custom_imports`.
Each type is also registered in mmseg's registry of the same kind, so that the
bare name ``type='OAAHook'`` works under ``default_scope='mmseg'`` once the
package is imported (``custom_imports=dict(imports=['oaa_mm'])``).
"""

from typing import Any

from mmengine.registry import Registry
from mmseg import registry as mmseg


class MirroredRegistry(Registry):
    """A registry of scope `oaa_mm` that also registers its types in mmseg's.

    Args:
        mirror (Registry): mmseg's registry of the same kind; its parent, the
            root registry of mmengine, becomes the parent of this one.
        *locations (str): Modules that register types here. They are
            imported at the first look-up in this registry or in `mirror`.
    """

    def __init__(self, mirror: Registry, *locations: str) -> None:
        super().__init__(
            mirror.name,
            parent=mirror.parent,
            scope='oaa_mm',
            locations=list(locations),
        )
        self._mirror = mirror
        # mmseg imports its own locations at its first look-up. Adding ours
        # keeps `import oaa_mm` light; resetting the flag covers an mmseg
        # that has already been through that look-up.
        mirror._locations.extend(locations)
        mirror._imported = False

    def _register_module(
        self,
        module: type,
        module_name: str | list[str] | None = None,
        force: bool = False,
    ) -> None:
        super()._register_module(module, module_name, force)
        self._mirror.register_module(module_name, force, module)

    def get(self, key: str) -> type | None:
        """The class of a name; other types than oaa_mm's are mmseg's.

        mmengine builds what a config inherits as ``oaa_mm::...`` in the scope
        `oaa_mm`, where names without prefix may be mmseg's.

        Args:
            key (str): The name, with or without the prefix of its scope.

        Returns:
            type | None: The class; None if there is none.
        """
        self.import_from_location()
        return self.module_dict.get(key) or self._mirror.get(key)


def class_of(registry: Registry, kind: Any) -> Any:
    """The class that the `type` of a config means.

    Args:
        registry (Registry): Where names are looked up.
        kind (Any): A name, or what configs of the new style import: the class.

    Returns:
        Any: The class; None if there is none.
    """
    return registry.get(kind) if isinstance(kind, str) else kind


MODELS = MirroredRegistry(mmseg.MODELS, 'oaa_mm.models')
DATASETS = MirroredRegistry(mmseg.DATASETS, 'oaa_mm.datasets')
DATA_SAMPLERS = MirroredRegistry(mmseg.DATA_SAMPLERS, 'oaa_mm.datasets')
TRANSFORMS = MirroredRegistry(mmseg.TRANSFORMS, 'oaa_mm.datasets.transforms')
HOOKS = MirroredRegistry(
    mmseg.HOOKS, 'oaa_mm.engine', 'oaa_mm.runs', 'oaa_mm.visualization'
)
METRICS = MirroredRegistry(mmseg.METRICS, 'oaa_mm.evaluation')
OPTIM_WRAPPERS = MirroredRegistry(mmseg.OPTIM_WRAPPERS, 'oaa_mm.runs')
VISUALIZERS = MirroredRegistry(mmseg.VISUALIZERS, 'oaa_mm.visualization')
#: Functions that draw an object as HTML, see :mod:`oaa_mm.io.notebook`.
VIEWS = Registry('view', scope='oaa_mm', locations=['oaa_mm.visualization'])
