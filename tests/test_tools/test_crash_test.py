"""A short form of tools/crash_test.py."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_nothing_is_lost(tmp_path):
    """Kills inside the store, the checkpoint and labels; signals; locks."""
    result = subprocess.run(
        [
            *(sys.executable, 'tools/crash_test.py', '--kills', '2'),
            *('--what', 'oaa_plus', 'labels', 'signals', 'twice'),
            *('--work-dir', tmp_path / 'lab'),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr[-3000:]
    for line in (
        'training oaa_plus: 2 kills',
        'pseudo-labels: 2 kills',
        'train, SIGTERM: status 143, interrupted: the same command with',
        'labels, SIGINT: status 130, interrupted: the same command goes on',
        'train: error: ',
    ):
        assert line in result.stdout
