# Put first in `_base_`, this lets `mmseg::...` load under every distribution
# of mmsegmentation, also from tools that do not import oaa_mm themselves:
# mmengine runs each base before it looks for the next one. The expression
# binds no name, so nothing of it enters the config.
__import__('oaa_mm')
