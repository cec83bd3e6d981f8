"""What every command of `tools/` does around its `main`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

__all__ = ['run_cli']


def run_cli(main: Callable[[], int | None]) -> NoReturn:
    """Run the `main` of a command and leave Python with its exit status.

    Users' mistakes (ValueError) and files that are absent, unreadable or
    unwritable (OSError) end in one message instead of a traceback. Any other
    exception is a bug and keeps its traceback; with the environment variable
    OAA_MM_TRACEBACK set, all of them do.

    Args:
        main (Callable[[], int | None]): Reads `sys.argv` and returns the
            exit status; None is success.

    Raises:
        SystemExit: Always. The status is that of `main`, 1 after a user's
            mistake, 130 after Ctrl-C.

    Examples:
        >>> if __name__ == '__main__':  # doctest: +SKIP
        ...     run_cli(main)
    """
    try:
        status = main()
    except (ValueError, OSError) as error:
        if os.environ.get('OAA_MM_TRACEBACK'):
            raise
        print(f'error: {error}', file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        status = 130
    sys.exit(status)
