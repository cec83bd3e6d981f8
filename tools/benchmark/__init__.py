"""The measurements of `tools/benchmark.py`.

`timing` takes medians of ways in turn, `samples` makes the inputs; `training`
(the hook's share of a step, batches against single images), `gpu` (steps on a
GPU; `gpu.sh` runs it and all else that needs one), `loading` (of
images), `authors` (a PNG a pair and step), `store` and `exchange` (GB/s),
`labels`, `memory`, `scale` and `fast` (tags to DeepLab by `--amp`) are the
parts.
"""
