"""Running stages one after the other.

A stage runs ordinary commands of `tools/`; the pipeline skips stages that are
done and still valid, and resumes those that were interrupted. `plan` has the
objects that a pipeline config is made of, `load` reads one for all seeds,
`run` does the work by `command`, `table` shows the scores.
"""

from .load import load_pipeline
from .plan import Pipeline, Stage
from .run import PipelineError, run_pipeline, stage_status

__all__ = [
    'Pipeline',
    'PipelineError',
    'Stage',
    'load_pipeline',
    'run_pipeline',
    'stage_status',
]
