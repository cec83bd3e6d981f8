"""Online Attention Accumulation (OAA, OAA+) for MMSegmentation.

Importing the package is light: it checks the installation, makes
``mmseg::...`` configs load under every distribution of mmsegmentation, and
declares the registries. Models, datasets and hooks are imported when a
registry first needs them.
"""

from oaa_mm.compat import setup_compat

setup_compat()

from oaa_mm import registry  # noqa: E402, F401 (needs a checked installation)
from oaa_mm.version import __version__  # noqa: E402

__all__ = ['__version__']
