"""The packages that are deployed: pinned, as tested, and within what the project allows."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from ..pages import ROOT

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
