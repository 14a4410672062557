"""Build the wheel for the Spark cluster from this installation's own code.

A wheel of pure Python is a zip file with three files of metadata, so it needs no build tool. A clone, an installed
package and the Function app all build the same one. Its path includes a digest of the code, so that load runs of
another version keep theirs.
https://packaging.python.org/specifications/binary-distribution-format/
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import d2c
from d2c.version import VERSION

# The cluster's requirements, as in pyproject.toml.
REQUIRES = ("orjson>=3.10,<4",)
REQUIRES_PYTHON = ">=3.11,<3.14"
SUFFIXES = (".py", ".typed")
INFO = f"d2c-{VERSION}.dist-info"
FILE_NAME = f"d2c-{VERSION}-py3-none-any.whl"
DIGEST_CHARACTERS = 16
# The earliest time that a zip file can hold: equal code gives equal files, whenever it is packed.
PACKED_AT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Wheel:
    """A wheel: its content, and the digest of the code in it."""

    content: bytes
    digest: str


@cache
def own_wheel() -> Wheel:
    """Return the wheel of this installation."""
    code = _own_code()
    return Wheel(_packed(code), code_digest(code))


def wheel_path(place: str) -> str:
    """Return the path in the workspace of this installation's wheel.

    Args:
        place: the value of ``D2C_WHEEL_PATH``: a folder, below which each version has a folder of its own, or the path
            of a wheel.
    """
    if place.endswith(".whl"):
        return place
    return f"{place.rstrip('/')}/{own_wheel().digest[:DIGEST_CHARACTERS]}/{FILE_NAME}"


def digest_of_wheel(content: bytes) -> str:
    """Return the digest of the code in a wheel.

    Raises:
        zipfile.BadZipFile: if it is not a wheel.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        return code_digest(
            {name: wheel.read(name) for name in wheel.namelist() if not name.startswith("d2c-")}
        )


def code_digest(code: Mapping[str, bytes]) -> str:
    """Return a digest of files and their names; zip files of equal code may differ by compressor."""
    digest = hashlib.sha256()
    for name in sorted(code):
        digest.update(f"{name} {len(code[name])}\n".encode() + code[name])
    return digest.hexdigest()


def _own_code() -> dict[str, bytes]:
    package = Path(d2c.__file__).parent
    files = (path for path in package.rglob("*") if path.suffix in SUFFIXES)
    return {path.relative_to(package.parent).as_posix(): path.read_bytes() for path in files}


def _packed(code: Mapping[str, bytes]) -> bytes:
    metadata = [
        "Metadata-Version: 2.1",
        "Name: d2c",
        f"Version: {VERSION}",
        f"Requires-Python: {REQUIRES_PYTHON}",
        *(f"Requires-Dist: {requirement}" for requirement in REQUIRES),
    ]
    about = ["Wheel-Version: 1.0", "Generator: d2c", "Root-Is-Purelib: true", "Tag: py3-none-any"]
    files = {
        **dict(sorted(code.items())),
        f"{INFO}/METADATA": _lines(metadata),
        f"{INFO}/WHEEL": _lines(about),
    }
    record = f"{INFO}/RECORD"
    files[record] = _lines([*(_record(name, content) for name, content in files.items()), f"{record},,"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, PACKED_AT)
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _record(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"
