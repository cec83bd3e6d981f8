"""The commands of `tools` from any folder: ``python -m oaa_mm COMMAND``."""

import ast
import runpy
import sys

from oaa_mm.checks import check_choice
from oaa_mm.runs.cli import run_cli
from oaa_mm.runs.config import shipped_files

#: Command -> its file in `tools`.
COMMANDS = {
    'train': 'train.py',
    'test': 'test.py',
    'labels': 'make_pseudo_labels.py',
    'evaluate': 'evaluate.py',
    'check': 'check_dataset.py',
    'convert': 'convert_labels.py',
    'masks': 'make_coco_masks.py',
    'visualize': 'visualize.py',
    'pipeline': 'run_pipeline.py',
    'toy': 'make_toy_voc.py',
    'demo': 'demo.py',
}


def main() -> int | None:
    """Run a command, or list all of them where none is named.

    Returns:
        int | None: Exit status of the command; None is success.

    Raises:
        ValueError: There is no such command.
    """
    tools = shipped_files() / 'tools'
    name, *words = sys.argv[1:] or ['--help']
    if name in ('-h', '--help'):
        print('usage: python -m oaa_mm COMMAND [--help] ...\n')
        for name, file in COMMANDS.items():
            text = (tools / file).read_text(encoding='utf-8')
            does = ast.get_docstring(ast.parse(text)).splitlines()[0]
            print(f'  {name:<10} {does}')
        return None
    check_choice('the command of `python -m oaa_mm`', name, COMMANDS)
    command = runpy.run_path(str(tools / COMMANDS[name]))['main']
    sys.argv = [f'python -m oaa_mm {name}', *words]
    return command()


if __name__ == '__main__':
    run_cli(main)
