"""The Markdown pages of the repository, taken apart for tests."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """Return the pages of the documentation, with those at the top of the repository."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def tracked_pages() -> list[Path]:
    """Return every Markdown file that Git tracks, or is about to."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True, timeout=60).stdout
    return [path for name in sorted(names.split("\0")) if name and (path := ROOT / name).is_file()]


def text_of(page: str) -> str:
    """Return a page's text; the page is named by its path below `docs`."""
    return (ROOT / "docs" / page).read_text()


def code_blocks(text: str, language: str) -> list[str]:
    return [body for found, body in _BLOCK.findall(text) if found == language]


def json_blocks(page: str) -> list[Any]:
    return [json.loads(block) for block in code_blocks(text_of(page), "json")]


def table_rows(text: str, heading: str) -> list[list[str]]:
    """Return the rows of every table below a heading up to the next one, without their headers."""
    section = text.split(f"\n{heading}\n", 1)[1]
    section = re.split(r"^#", section, maxsplit=1, flags=re.MULTILINE)[0]
    rows = []
    for table in re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE):
        rows += [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return rows


def codes(cell: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)
