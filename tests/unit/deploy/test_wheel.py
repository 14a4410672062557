import base64
import csv
import hashlib
import io
import tomllib
import zipfile
from pathlib import Path

import pytest

import d2c
from d2c.deploy import wheel
from d2c.version import VERSION

ROOT = Path(d2c.__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def opened(content):
    return zipfile.ZipFile(io.BytesIO(content))


def test_the_wheels_metadata_is_that_of_the_project():
    assert PROJECT["version"] == VERSION
    metadata = opened(wheel.own_wheel().content).read(f"d2c-{VERSION}.dist-info/METADATA").decode()
    said = [line for line in metadata.splitlines() if line.startswith("Requires")]
    needed = [f"Requires-Dist: {requirement}" for requirement in PROJECT["dependencies"]]
    assert said == [f"Requires-Python: {PROJECT['requires-python']}", *needed]


def test_the_wheel_holds_the_code_of_d2c_and_nothing_else():
    names = opened(wheel.own_wheel().content).namelist()
    assert {name.split("/")[0] for name in names} == {"d2c", f"d2c-{VERSION}.dist-info"}
    assert {"d2c/mapping/mapper.py", "d2c/py.typed"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_the_wheels_record_has_every_file_with_its_digest():
    packed = opened(wheel.own_wheel().content)
    rows = list(csv.reader(packed.read(f"{wheel.INFO}/RECORD").decode().splitlines()))
    assert [row[0] for row in rows if not row[1]] == [f"{wheel.INFO}/RECORD"]
    for name, digest, size in (row for row in rows if row[1]):
        content = packed.read(name)
        expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert (digest, size) == (f"sha256={expected}", str(len(content)))
    assert {row[0] for row in rows} == set(packed.namelist())


def test_equal_code_gives_equal_wheels_with_a_readable_digest():
    code = {"d2c/a.py": b"a = 1\n", "d2c/b.py": b""}
    packed = wheel._packed(code)
    assert packed == wheel._packed(dict(reversed(code.items())))
    assert wheel.digest_of_wheel(packed) == wheel.code_digest(code)
    assert wheel.digest_of_wheel(wheel.own_wheel().content) == wheel.own_wheel().digest


@pytest.mark.parametrize(
    "other",
    [
        {"d2c/a.py": b"a = 2\n"},
        {"d2c/b.py": b"a = 1\n"},
        {"d2c/a.py": b"a = 1\n", "d2c/b.py": b""},
    ],
)
def test_other_code_has_another_digest(other):
    assert wheel.code_digest(other) != wheel.code_digest({"d2c/a.py": b"a = 1\n"})


def test_below_a_folder_each_code_has_a_folder_of_its_own():
    digest = wheel.own_wheel().digest[:16]
    assert (
        wheel.wheel_path("/Shared/libraries/") == f"/Shared/libraries/{digest}/d2c-{VERSION}-py3-none-any.whl"
    )


def test_a_wheels_own_path_stays_as_it_is():
    assert wheel.wheel_path("/Volumes/a/b/c/d2c-0.1.0-py3-none-any.whl").endswith(
        "/c/d2c-0.1.0-py3-none-any.whl"
    )


def test_a_file_that_is_not_a_wheel_is_an_error():
    with pytest.raises(zipfile.BadZipFile):
        wheel.digest_of_wheel(b"no zip file")
