"""Running stages one after the other.

A stage is an ordinary command of `tools/`; the pipeline wires paths, skips
what is done and still valid, and resumes what was interrupted. `plan` reads a
pipeline config, `record` knows whether a stage is done, `run` does the work,
`table` shows the scores.
"""

from .plan import Pipeline, Stage, load_pipeline
from .record import stage_status
from .run import PipelineError, run_pipeline

__all__ = [
    'Pipeline',
    'PipelineError',
    'Stage',
    'load_pipeline',
    'run_pipeline',
    'stage_status',
]
