"""Notebooks in Databricks' source format: Python cells between ``# COMMAND ----------`` lines.

https://learn.microsoft.com/azure/databricks/notebooks/notebook-export-import
"""

import re
from dataclasses import dataclass

HEADER = "# Databricks notebook source"
SEPARATOR = re.compile(r"^# COMMAND -{10}\s*$", re.MULTILINE)
MAGIC = re.compile(r"# MAGIC ?(.*)")


class NotebookError(Exception):
    """A notebook that cannot run here."""


@dataclass(frozen=True)
class Cell:
    """A cell of Python: its place in the notebook, from 1, and its code."""

    number: int
    code: str


def parse_notebook(text: str) -> list[Cell]:
    """Return the cells of Python, in order; cells of text are counted and left out.

    Raises:
        NotebookError: if it is not in the source format, or has a cell in another language.
    """
    first, _, rest = text.partition("\n")
    if first.rstrip() != HEADER:
        raise NotebookError(f"The notebook does not begin with the line {HEADER!r}.")
    cells = []
    for number, code in enumerate(SEPARATOR.split(rest), 1):
        magic = [found[1] for line in code.splitlines() if (found := MAGIC.match(line))]
        if magic and not magic[0].startswith("%md"):
            raise NotebookError(
                f"Cell {number} begins with {magic[0].split()[:1]}, which is not supported here."
            )
        if not magic and code.strip():
            cells.append(Cell(number, code.strip("\n") + "\n"))
    return cells
