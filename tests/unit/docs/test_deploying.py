"""The commands of the pages on deploying, held against what their programs take."""

import json
import re

import yaml
from databricks.sdk.service.iam import ServicePrincipal

from tests.unit.pages import ROOT, text_of

DEPLOY, AWS = text_of("install/deploy.md"), text_of("install/aws.md")


def test_the_service_principal_is_created_by_the_names_that_the_api_has():
    # The Databricks CLI only warns of names that it does not know, and then makes another principal.
    (text,) = re.findall(r'service-principals create --json "(.+?[^\\])"\n', DEPLOY, re.DOTALL)
    given = json.loads(text.replace('\\"', '"'))
    assert ServicePrincipal.from_dict(given).as_dict() == given
    assert given["applicationId"] == "$D2C_APP_CLIENT_ID"


def test_the_page_asks_for_the_azd_that_azure_yaml_demands():
    # Older ones send the whole checkout. https://github.com/Azure/azure-dev/blob/main/cli/azd/CHANGELOG.md
    needed = yaml.safe_load((ROOT / "azure.yaml").read_text())["requiredVersions"]["azd"]
    (named,) = re.findall(r"`azd` (\d+\.\d+) or newer", DEPLOY)
    assert needed == f">= {named}.0"
    assert tuple(map(int, named.split("."))) >= (1, 18)


def test_the_app_id_uri_has_the_applications_id():
    # https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions
    assert re.findall(r"--identifier-uris (\S+)", AWS) == ["api://$APP"]
    assert set(re.findall(r"api://[^\s`]+", AWS + DEPLOY)) == {"api://$APP"}


def test_what_the_app_learns_after_its_deployment_is_provisioned_again():
    for page in (DEPLOY, AWS):
        assert re.search(
            r"azd env set D2C_AWS_ROLES .*\nazd env set D2C_AWS_TOKEN_AUDIENCE .*\nazd provision\n", page
        )
