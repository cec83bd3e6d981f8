"""Breaking runs on purpose: is anything lost?

`faults` stops a process inside a write, `lab` forks and kills, `checks` looks
at what is on the disk. `scenarios` (trainings, labels), `stages` (pipeline),
`signals`, `processes` and `endurance` put them together, `suite` runs them
all. `tools/crash_test.py` is the command.
"""
