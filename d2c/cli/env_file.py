"""Files of settings as ``azd env get-values`` prints them: a name, ``=`` and a quoted text in each line."""

import re
from pathlib import Path

import typer

from d2c.cli.files import read_file

LINE = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(.*)")
ESCAPED = re.compile(r"\\(.)")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the settings in a file; empty lines and those that begin with ``#`` are passed over.

    Raises:
        typer.BadParameter: if it cannot be read, or a line is no setting's; its text may be secret and is not shown.
    """
    found = {}
    for number, line in enumerate(read_file(str(path), "settings").decode(errors="replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = LINE.fullmatch(line.strip())
        if parts is None:
            raise typer.BadParameter(f"{path}: line {number} is not NAME=value; mend it")
        found[parts[1]] = _unquoted(parts[2])
    return found


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return ESCAPED.sub(r"\1", text[1:-1])
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1]
    return text
