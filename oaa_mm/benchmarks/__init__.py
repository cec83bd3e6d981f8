"""What `tools/benchmark.py` measures: ratios of two ways, in one run.

`timing` takes the medians, `samples` makes the inputs; `training` (the hook's
share of a step, batches against single images), `authors` (a PNG a pair and
step), `store` (GB/s beside a plain copy), `labels` and `memory` are the parts.
"""
