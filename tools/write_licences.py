"""Writes docs/reference/licences.md, the licence of each package that is deployed, from the packages' own metadata."""

import re
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"
HEAD = """# Licences of the deployed packages

The Function app installs the packages that [`requirements.txt`](../../requirements.txt) pins, none of which is part of
this repository. This page is generated from their metadata (`python -m tools.write_licences`, part of `make lock`).

| package | licence |
|---|---|
"""
# How packages spell them: https://spdx.org/licenses/
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD",
    "BSD License": "BSD",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "MIT License": "MIT",
    "PSF-2.0": "PSF-2.0",
}
LONGEST_NAME = 40


def deployed_packages() -> list[str]:
    """Return the names of the packages in requirements.txt, each once."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return sorted({found[0] for line in lines if (found := re.match(r"[a-z0-9._-]+(?===)", line))})


def licences_text() -> str:
    """Return the text of the page."""
    return HEAD + "".join(f"| {name} | {licence_of(name)} |\n" for name in deployed_packages())


def licence_of(package: str) -> str:
    """Return the licence of an installed package: an SPDX expression, where its metadata has or means one.

    Raises:
        ValueError: if it names none.
    """
    told = metadata(package)
    names = [*told.get_all("License-Expression", []), *told.get_all("License", [])]
    names += [
        text.split(" :: ")[-1] for text in told.get_all("Classifier", []) if text.startswith("License ::")
    ]
    found = next((name for name in names if name and len(name) <= LONGEST_NAME), None)
    if found is None:
        raise ValueError(f"The metadata of {package} names no licence; look it up before it is deployed.")
    return str(SPDX.get(found, found))


if __name__ == "__main__":
    PAGE.write_text(licences_text())
