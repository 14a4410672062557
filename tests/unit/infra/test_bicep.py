"""The compiler of Bicep cannot be had here, so what it would find first is looked for with a grammar."""

import re

import pytest

from .bicep import FILES, INFRA, Bicep

PARSED = {path: Bicep(path) for path in FILES}
CALLS = [
    pytest.param(bicep, call, id=f"{bicep.path.name}: {call.name}")
    for bicep in PARSED.values()
    for call in bicep.calls()
]
MAIN = PARSED[INFRA / "main.bicep"]
VERSION = re.compile(r"\d{4}-\d\d-\d\d(-preview)?")

each_file = pytest.mark.parametrize("bicep", PARSED.values(), ids=lambda bicep: bicep.path.name)


@each_file
def test_a_file_follows_the_grammar(bicep):
    assert bicep.faults() == []


@each_file
def test_every_name_that_is_used_is_declared_and_every_declared_one_is_used(bicep):
    declared = {
        name
        for kind in (
            "parameter_declaration",
            "variable_declaration",
            "resource_declaration",
            "module_declaration",
        )
        for name in bicep.declared(kind)
    }
    references = bicep.references()
    assert references <= declared
    needless = {
        name for kind in ("parameter_declaration", "variable_declaration") for name in bicep.declared(kind)
    }
    assert needless <= references


@pytest.mark.parametrize(("bicep", "call"), CALLS)
def test_a_module_is_there_and_is_given_the_parameters_that_it_declares(bicep, call):
    module = PARSED[(bicep.path.parent / call.path).resolve()]
    declared = module.parameters()
    assert call.parameters <= declared.keys()
    assert {name for name, has_default in declared.items() if not has_default} <= call.parameters


@each_file
def test_outputs_of_modules_that_are_used_are_there(bicep):
    modules = {call.name: PARSED[(bicep.path.parent / call.path).resolve()] for call in bicep.calls()}
    for module, output in bicep.module_outputs_used():
        assert output in modules[module].outputs(), f"{module}.outputs.{output}"


def test_every_module_is_called():
    called = {
        (bicep.path.parent / call.path).resolve() for bicep in PARSED.values() for call in bicep.calls()
    }
    assert called | {INFRA / "main.bicep", INFRA / "events.bicep"} == set(PARSED)


@each_file
def test_resources_name_the_version_of_their_api(bicep):
    for kind in bicep.resource_types():
        assert VERSION.fullmatch(kind.partition("@")[2]) or "@" not in kind, kind
        # A type without a version is that of a child within its parent.
        assert "@" in kind or "/" not in kind


@each_file
def test_no_output_holds_a_secret(bicep):
    for name, value in bicep.outputs().items():
        assert not re.search(r"list\w*\(|primaryKey|secondaryKey|password|\.secret", value, re.IGNORECASE), (
            name
        )
    assert "@secure()" not in bicep.text


def test_no_file_of_the_infrastructure_names_a_key_or_allows_one():
    text = "".join(bicep.text for bicep in PARSED.values())
    assert re.findall(r"allowSharedKeyAccess: (\w+)", text) == ["false"] * 2
    assert re.findall(r"disableLocalAuth: (\w+)", text, re.IGNORECASE) == ["true"] * 2
    # The one list of keys is the blob extension's, which goes to Event Grid and nowhere else.
    assert text.count("listKeys(") == 1


def test_the_parameters_file_gives_every_parameter_and_no_other():
    text = (INFRA / "main.bicepparam").read_text()
    assert set(re.findall(r"^param (\w+) = ", text, re.MULTILINE)) == set(MAIN.parameters())
    assert re.search(r"^using 'main.bicep'$", text, re.MULTILINE)


def test_a_default_in_the_parameters_file_is_that_of_the_template():
    text = (INFRA / "main.bicepparam").read_text()
    for name, default in re.findall(r"^param (\w+) = .*, '([^']*)'\)+$", text, re.MULTILINE):
        declared = re.search(rf"^param {name} (?:string|bool) = (.+)$", MAIN.text, re.MULTILINE)[1]
        assert declared.strip("'") == default, name
