"""Version of oaa_mm, read by `setup.py` and by `oaa_mm.__version__`."""

__version__ = '0.2.0'
