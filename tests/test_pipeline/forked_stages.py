"""`tools/run_pipeline.py` whose stages are forks of this process.

Importing takes most of the time of a tiny training; here it is done once.
"""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / 'tools')]

if __name__ == '__main__':
    import torch
    from crash.stages import fork_stages

    import oaa_mm.engine
    import oaa_mm.evaluation
    import oaa_mm.pseudo_labels
    import oaa_mm.report  # noqa: F401

    torch.set_num_threads(1)
    fork_stages()
    sys.argv[0] = str(ROOT / 'tools/run_pipeline.py')
    runpy.run_path(sys.argv[0], run_name='__main__')
