"""The packages that are deployed: pinned, as tested, and within what the project allows."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tools.write_licences import PAGE, deployed_packages, licence_of, licences_text

from ..pages import ROOT

# MPL-2.0 asks for the source of its own files only.
PERMISSIVE = {
    *("Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"),
    "Unlicense",
}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements(file_name):
    """Return the requirements of a file that uv wrote, without comments and hashes."""
    lines = (ROOT / file_name).read_text().splitlines()
    return [Requirement(line.split(" \\")[0]) for line in lines if re.match(r"[a-z]", line)]


DEPLOYED, TESTED = requirements("requirements.txt"), requirements("requirements-dev.lock")


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_requirement_of_the_app_is_pinned_within_its_range(python):
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    pins = {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in DEPLOYED
        if pin.marker is None or pin.marker.evaluate(environment)
    }
    for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["app"]]:
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate(environment):
            assert needed.specifier.contains(pins[needed.name], prereleases=True), text


def test_all_that_is_deployed_is_pinned_to_the_version_that_tests_ran_with():
    tested = {str(pin) for pin in TESTED}
    assert [str(pin) for pin in DEPLOYED if str(pin) not in tested] == []


def test_all_that_is_deployed_is_pinned_with_hashes_since_pip_takes_all_or_none():
    text = (ROOT / "requirements.txt").read_text()
    pins = re.split(r"\n(?=[a-z])", text.replace(" \\\n", " "))[1:]
    assert len(pins) == len(DEPLOYED)
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


def test_the_page_of_licences_is_that_of_the_packages():
    assert PAGE.read_text() == licences_text()


def test_no_deployed_package_has_a_licence_that_binds_what_is_deployed_with_it():
    terms = {term for name in deployed_packages() for term in re.split(r" (?:OR|AND) ", licence_of(name))}
    assert {term.strip("()") for term in terms} <= PERMISSIVE
