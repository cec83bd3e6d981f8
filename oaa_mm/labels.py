"""The old name of :mod:`oaa_mm.tags`, for code that was written with it."""

from oaa_mm.tags import *  # noqa: F403
from oaa_mm.tags import __all__ as __all__
