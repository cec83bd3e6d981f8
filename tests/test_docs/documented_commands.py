"""The commands that the documentation shows, as lists of words."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parents[2]

FENCE = r'^[ \t]*```(?P<language>\w*)[^\n]*\n(?P<block>.*?)^[ \t]*```'
CODE = re.compile(FENCE + r'|`(?P<span>[^`]+)`', re.MULTILINE | re.DOTALL)
SHELLS = ('', 'bash', 'sh', 'shell', 'console')
# `[--what a b]` is what may be there; other words in brackets, such as
# `[OPTIONS of tools/train.py]`, are no part of the command.
BRACKETS = re.compile(r'(?<=\s)\[(--)?([^\]]*)\]')


@dataclass(frozen=True)
class Command:
    """One command, from its tool on.

    Attributes:
        page: The page that shows it.
        words: ``['python', 'tools/train.py', ...]``, variables filled in.
        whole: Whether nothing was left out, so that the tool can parse it.
        env: What the page exports before it.
    """

    page: Path
    words: tuple[str, ...]
    whole: bool
    env: dict[str, str] = field(default_factory=dict, hash=False)

    def __str__(self):
        return f'{self.page.relative_to(ROOT)}: {shlex.join(self.words)}'


def documented_pages():
    """All pages for users."""
    return [*sorted(ROOT.glob('*.md')), *sorted(ROOT.glob('docs/**/*.md'))]


def read_commands(page, text=None):
    """Commands of a page, in order.

    Args:
        page (Path): The page.
        text (str): Its text. Defaults to None: read it.

    Returns:
        list[Command]: Those of code blocks and of code in the prose.
    """
    variables, exported, found = {}, {}, []
    for code in CODE.finditer(text or page.read_text()):
        if code['span']:
            line = ' '.join(code['span'].split())
            if words := find_tool(split(fill(line, variables))):
                found.append(make_command(page, words, exported))
        elif code['language'] in SHELLS:
            block = code['block'].replace('\\\n', ' ')
            for line in block.splitlines():
                assign(line.strip(), variables, exported)
                if words := find_tool(split(fill(line, variables))):
                    found.append(make_command(page, words, exported))
    return found


def assign(line, variables, exported):
    """Take over `NAME=VALUE` and `export NAME=VALUE ...`."""
    words = split(fill(line, variables))
    names = words[1:] if words[:1] == ['export'] else words
    if not all(re.match(r'\w+=', word) for word in names):
        return
    values = dict(word.split('=', 1) for word in names)
    variables.update(values)
    if names is not words:
        exported.update(values)


def fill(line, variables):
    """The line without brackets and with the variables that are known."""
    line = BRACKETS.sub(lambda m: m[1] + m[2] if m[1] else '', line)
    return Template(line).safe_substitute(variables)


def split(line):
    """Words of the first command of a line, without comments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars='|&;<>')
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # prose with an apostrophe
        return []
    ends = (i for i, word in enumerate(words) if set(word) <= set('|&;<>'))
    return words[: next(ends, None)]


def find_tool(words):
    """From the tool on: what `srun` and variables before it do not matter."""
    for i, word in enumerate(words):
        following = words[i + 1] if i + 1 < len(words) else ''
        if word == 'make' and i == 0 and following:
            return words
        if word in ('python', 'bash') and is_tool(following):
            return words[i:]
        if word == 'python' and following == '-m':
            return words[i:]
        if i == 0 and is_tool(word):
            return words
    return []


def is_tool(word):
    """Whether a word is the path of a tool."""
    return re.fullmatch(r'tools/[\w/]+\.(py|sh)', word) is not None


def make_command(page, words, exported):
    """The command of these words."""
    whole = not is_tool(words[0]) and '...' not in words
    return Command(page, tuple(words), whole, dict(exported))
