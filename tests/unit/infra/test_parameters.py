"""The parameters of the deployment: main.bicep, main.bicepparam, and the page on deploying."""

import re
import tomllib

from d2c.app.settings import REQUIRED
from d2c.deploy.parameters import PARAMETERS

from ..pages import ROOT, codes, table_rows, text_of
from .bicep import INFRA, Bicep

MAIN = Bicep(INFRA / "main.bicep")
GIVEN = (INFRA / "main.bicepparam").read_text()


def test_a_default_in_the_parameters_file_is_that_of_the_template():
    found = re.findall(r"^param (\w+) = .*, '([^']*)'\)+$", GIVEN, re.MULTILINE)
    assert {
        name: default for name, default in found if (MAIN.parameters()[name] or "").strip("'") != default
    } == {}


def test_no_two_parameters_are_given_by_one_variable():
    names = re.findall(r"readEnvironmentVariable\('(\w+)'", GIVEN)
    assert len(names) == len(set(names)) == len(MAIN.parameters())


def test_the_page_on_deploying_has_every_parameter_that_azd_gives():
    asked = set(re.findall(r"readEnvironmentVariable\('(\w+)'", GIVEN))
    rows = [row for row in table_rows(text_of("install/deploy.md"), "## 1. Choose") if len(row) == 3]
    assert {name for row in rows for name in codes(row[0])} == asked


def test_the_python_versions_of_the_app_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    least, limit = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project).groups()
    allowed = re.search(r"@allowed\(\[([^\]]+)\]\)\nparam pythonVersion string = '3.12'", MAIN.text)[1]
    assert re.findall(r"'3\.(\d+)'", allowed) == [str(minor) for minor in range(int(least), int(limit))]


def test_whoever_deploys_gets_all_settings_of_d2c_deploy_from_the_outputs():
    needed = {
        *REQUIRED,
        "D2C_LAKE__blobServiceUri",
        *(parameter.setting for parameter in PARAMETERS.values()),
    }
    assert needed <= MAIN.outputs()
