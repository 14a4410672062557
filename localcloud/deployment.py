"""What a deployment puts into the Databricks workspace, put into the local one: the notebook and the wheel."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from localcloud.names import NOTEBOOK_PATH

CHECKOUT = Path(__file__).parents[1]
NOTEBOOK = CHECKOUT / "notebooks" / "load_table.py"
LIBRARIES = "/Volumes/main/d2c/libraries"
# All that the wheel is made of.
WHEEL_SOURCES = ("pyproject.toml", "README.md", "LICENSE", "requirements.txt", "requirements-cli.txt", "d2c")


class DeploymentError(Exception):
    """The wheel could not be built; the text holds what the build said."""


def wheel_path() -> str:
    """Return the wheel's path in the workspace."""
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    return f"{LIBRARIES}/d2c-{version}-py3-none-any.whl"


def deploy(files: Path) -> None:
    """Put the notebook and the wheel into the folder that holds the workspace's files; the wheel only if it is older.

    Raises:
        DeploymentError: if the wheel cannot be built.
    """
    notebook = files / f"{NOTEBOOK_PATH.lstrip('/')}.py"
    notebook.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(NOTEBOOK, notebook)
    wheel = files / wheel_path().lstrip("/")
    stamp = wheel.with_suffix(".sha256")
    digest = _digest_of_sources()
    if not wheel.exists() or not stamp.exists() or stamp.read_text() != digest:
        wheel.parent.mkdir(parents=True, exist_ok=True)
        _build_wheel(wheel.parent)
        stamp.write_text(digest)


def _source_files() -> list[Path]:
    """Return the files of the wheel's sources, relative to the checkout."""
    found = []
    for name in WHEEL_SOURCES:
        source = CHECKOUT / name
        found += (
            [path for path in source.rglob("*") if path.suffix in (".py", ".typed")]
            if source.is_dir()
            else [source]
        )
    return sorted(path.relative_to(CHECKOUT) for path in found)


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for path in _source_files():
        content = (CHECKOUT / path).read_bytes()
        digest.update(f"{path} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _build_wheel(folder: Path) -> None:
    """Build from a copy: setuptools takes over whatever an earlier build left beside the sources."""
    with tempfile.TemporaryDirectory() as copy:
        for path in _source_files():
            target = Path(copy) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / path, target)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        built = subprocess.run(
            [*command, "--wheel-dir", str(folder), copy], capture_output=True, text=True, check=False
        )
    if built.returncode:
        raise DeploymentError(f"The d2c wheel could not be built:\n{built.stderr}")
