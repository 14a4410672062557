"""What tests without Bicep's compiler ask of its files; `tests/real/test_bicep.py` has the compiler's own word."""

import re
from pathlib import Path

from ..pages import ROOT

INFRA = ROOT / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))


class Bicep:
    """One file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text()

    def parameters(self) -> dict[str, str | None]:
        """Return the parameters by name, each with its default as it is written, or None without."""
        found = re.findall(r"^param (\w+) (?:\{.*?\}|\w+)(?: = (.+))?$", self.text, re.MULTILINE)
        return {name: default or None for name, default in found}

    def outputs(self) -> set[str]:
        return set(re.findall(r"^output (\w+) ", self.text, re.MULTILINE))
