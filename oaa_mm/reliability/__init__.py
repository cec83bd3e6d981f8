"""Breaking runs on purpose: is anything lost?

`faults` stops a process inside a write, `lab` forks, kills and repeats,
`checks` looks at what is on the disk, `scenarios` puts them together for each
kind of run. `tools/crash_test.py` is the command.
"""
