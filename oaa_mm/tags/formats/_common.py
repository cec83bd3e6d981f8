"""What the readers and writers of several forms share."""

from __future__ import annotations

from pathlib import Path


def list_folder(path: str | Path, suffix: str) -> dict[str, Path]:
    """Image id -> file, of the files in `path` and below that end so."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'label folder {path} does not exist')
    if not path.is_dir():
        raise ValueError(
            f'{path} is a file, but a folder of {suffix} files is needed'
        )
    files = {
        file.relative_to(path).as_posix()[: -len(suffix)]: file
        for file in sorted(path.rglob('*'))
        # Names with a leading dot are by-products (macOS: `._a.png`).
        if file.suffix.lower() == suffix and not file.name.startswith('.')
    }
    if not files:
        raise ValueError(f'folder {path} holds no {suffix} file')
    return files
