from dataclasses import replace
from types import SimpleNamespace

import pytest

from d2c.app.cluster_settings import read_cluster
from d2c.clients.databricks.files import DatabricksFiles
from d2c.deploy.kernel_wheel import KernelWheel
from d2c.deploy.parameters import UNUSED
from d2c.deploy.parts import NOTHING, Difference, Part, Target, all_parts
from d2c.deploy.publish import TRIES, Published, find_differences, publish
from d2c.deploy.release import own_release
from d2c.errors import D2CError, PermanentError, TransientError


class Thing(Part):
    """A part with the given states, one after another."""

    def __init__(self, name, *states):
        self.thing, self.states, self.published = name, list(states), 0

    def differences(self):
        state = self.states.pop(0)
        if isinstance(state, Exception):
            raise state
        return [Difference(self.thing, state, "new")] if state else []

    def publish(self):
        self.published += 1


def test_an_expected_part_is_not_changed():
    thing = Thing("a", "")
    assert publish([thing]) == [Published("a", "unchanged")]
    assert thing.published == 0


def test_missing_parts_are_created_and_old_ones_updated():
    published = []
    parts = [Thing("a", NOTHING, ""), Thing("b", "old", "")]
    assert (
        publish(parts, published.append)
        == published
        == [Published("a", "created"), Published("b", "updated")]
    )
    assert [part.published for part in parts] == [1, 1]


def test_a_part_that_differs_after_publishing_is_an_error():
    with pytest.raises(D2CError, match="After publishing, a is old, not new") as refused:
        publish([Thing("a", "old", "old"), Thing("b", "")])
    assert "another deployment" in refused.value.next_step


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (PermanentError("Data Factory f: refused", "Grant the app's identity a role."), "az account show"),
        (
            TransientError("Data Factory f: no answer", "It is tried again."),
            "Try again; published parts are kept",
        ),
    ],
)
def test_a_services_refusal_gives_deployers_the_next_step(error, step):
    with pytest.raises(D2CError, match="Data Factory f") as refused:
        publish([Thing("a", *[error] * TRIES)], pause=lambda seconds: None)
    assert step in refused.value.next_step


def test_a_workspace_that_does_not_answer_yet_is_waited_for():
    told, pauses = [], []
    early = TransientError("Notebook n: no answer", "It is tried again.")
    publish([Thing("n", early, early, NOTHING, "")], told.append, pauses.append)
    assert [each.outcome for each in told] == ["waiting", "waiting", "created"]
    assert told[0].warning == "Notebook n: no answer"
    assert len(pauses) == 2


def test_a_workspace_that_never_answers_is_given_up_after_five_minutes():
    pauses = []
    with pytest.raises(D2CError, match="no answer"):
        publish([Thing("n", *[TransientError("no answer", "")] * TRIES)], pause=pauses.append)
    assert 240 <= sum(pauses) <= 300


def test_a_definition_that_the_service_returns_in_a_form_of_its_own_is_a_warning():
    linked = Thing("linkedService s", NOTHING, "")
    linked.is_kept_as_written = False
    linked.states = [NOTHING, "text"]
    linked.differences = lambda: [Difference("linkedService s: url", linked.states.pop(0), "object")]
    (published,) = publish([linked])
    assert published.outcome == "created"
    assert published.warning.endswith("linkedService s: url is text, not object")


def test_a_definition_that_is_still_missing_is_an_error():
    linked = Thing("linkedService s", NOTHING, NOTHING)
    linked.is_kept_as_written = False
    with pytest.raises(D2CError, match="linkedService s is nothing"):
        publish([linked])


def test_a_new_version_keeps_the_runtime_that_the_owner_has_chosen(place, release):
    publish(all_parts(place, release))
    runtime = {"referenceName": "own", "type": "IntegrationRuntimeReference"}
    name = ("linkedService", "export_bucket_session")
    place.factory.definitions[name] = {
        **place.factory.definitions[name],
        "annotations": [],
        "connectVia": runtime,
    }
    publish(all_parts(place, release))
    assert place.factory.definitions[name]["connectVia"] == runtime
    assert find_differences(place, release) == []


def test_the_runtime_of_the_settings_is_published_and_later_ones_of_the_owner_are_found(place, release):
    place.settings.copies.integration_runtime = "near-aws"
    publish(all_parts(place, release))
    linked = place.factory.definitions["linkedService", "export_bucket_session"]
    assert linked["connectVia"]["referenceName"] == "near-aws"
    assert find_differences(place, release) == []
    linked["connectVia"] = {**linked["connectVia"], "referenceName": "own"}
    (found,) = find_differences(place, release)
    assert found.thing.endswith("export_bucket_session: connectVia.referenceName")


def test_a_new_version_keeps_the_units_that_the_owner_has_typed_into_a_copy(place, release):
    publish(all_parts(place, release))
    pipeline = place.factory.definitions["pipeline", "copy_export"]
    pipeline["annotations"] = []
    pipeline["activities"][0]["typeProperties"] |= {"dataIntegrationUnits": 64, "parallelCopies": 16}
    publish(all_parts(place, release))
    kept = place.factory.definitions["pipeline", "copy_export"]["activities"][0]["typeProperties"]
    assert (kept["dataIntegrationUnits"], kept["parallelCopies"]) == (64, 16)
    assert find_differences(place, release) == []


class Factory:
    """A data factory in memory, which adds fields of its own as the service does."""

    def __init__(self):
        self.content = {"properties": {"globalParameters": {"others": {"type": "String", "value": "kept"}}}}
        self.definitions = {}

    def get_factory(self):
        return self.content

    def set_global_parameters(self, factory, values):
        changed = {name: {"type": "String", "value": value} for name, value in values.items()}
        factory["properties"]["globalParameters"] |= changed

    def find(self, kind, name):
        found = self.definitions.get((kind, name))
        return found and {**found, "lastPublishTime": "now"}

    def put(self, kind, name, properties):
        self.definitions[kind, name] = properties


class Files:
    """A workspace's files in memory; a notebook loses the blank lines at its end, as in the service."""

    def __init__(self):
        self.content = {}

    read_file = read_notebook = lambda self, path: self.content.get(path)

    def write_file(self, path, content):
        self.content[path] = content

    def write_notebook(self, path, source):
        self.content[path] = source.rstrip()


CLUSTER = read_cluster("")
VALUES = {
    "lakeUrl": "https://l",
    "s3ServiceUrl": "https://s",
    "awsAccessKeyId": "id",
    "keyVaultUrl": "https://v",
}


@pytest.fixture
def place():
    settings = SimpleNamespace(
        notebook_path="/Shared/d2c/load_table",
        wheel_path="/Shared/d2c/libraries",
        cluster=CLUSTER,
        copies=SimpleNamespace(integration_runtime=""),
    )
    return Target(settings, Files(), Factory(), VALUES)


@pytest.fixture(scope="module")
def release():
    return replace(own_release(), kernel=None)


def test_this_version_is_published_whole_and_the_second_time_nothing_changes(place, release):
    first = publish(all_parts(place, release))
    assert {each.outcome for each in first} == {"created"}
    assert {each.outcome for each in publish(all_parts(place, release))} == {"unchanged"}
    assert find_differences(place, release) == []
    assert place.factory.get_factory()["properties"]["globalParameters"]["others"]["value"] == "kept"


def test_the_native_kernel_is_published_beside_the_wheel_where_it_fits_the_cluster(place, release):
    kernel = KernelWheel("d2c_kernel-0.1.0-cp311-abi3-manylinux_2_34_x86_64.whl", b"wheel")
    parts = all_parts(place, replace(release, kernel=kernel))
    wheel, found, *_ = parts
    assert found.thing.rpartition("/")[0].endswith(wheel.thing.rpartition("/")[0].split()[1])
    assert {each.outcome for each in publish(parts)} == {"created"}
    assert {each.outcome for each in publish(parts)} == {"unchanged"}
    place.files.content[found.thing.split()[-1]] = b"other"
    assert [each.found for each in found.differences()] == ["a different wheel"]
    place.settings.cluster = {**CLUSTER, "node_type_id": "Standard_D4pds_v6"}
    assert len(all_parts(place, replace(release, kernel=kernel))) == len(parts) - 1


def test_only_a_changed_part_is_found_and_restored(place, release):
    publish(all_parts(place, release))
    place.factory.definitions["pipeline", "copy_export"] = {"activities": []}
    place.files.content["/Shared/d2c/load_table"] = b"# Databricks notebook source\nprint('mine')"
    things = {each.thing.split(":")[0] for each in find_differences(place, release)}
    assert things == {"pipeline copy_export", "notebook /Shared/d2c/load_table"}
    outcomes = {each.thing: each.outcome for each in publish(all_parts(place, release))}
    assert {thing for thing, outcome in outcomes.items() if outcome != "unchanged"} == things


@pytest.mark.parametrize("content", [b"no wheel", None])
def test_a_wheel_that_is_another_file_or_missing_is_found(place, release, content):
    publish(all_parts(place, release))
    (path,) = [path for path in place.files.content if path.endswith(".whl")]
    place.files.content[path] = content
    (found,) = find_differences(place, release)
    assert found == Difference(
        f"wheel {path}",
        "a file that is not a wheel" if content else NOTHING,
        f"code {release.wheel.digest[:16]}",
    )


def test_a_value_that_is_not_set_must_exist_and_stays(place, release):
    place = Target(place.settings, place.files, place.factory, {**VALUES, "keyVaultUrl": ""})
    with pytest.raises(
        D2CError, match=r"keyVaultUrl of the data factory is nothing, not a value \(D2C_KEY_VAULT_URL\)"
    ):
        publish(all_parts(place, release))
    place.factory.set_global_parameters(place.factory.content, {"keyVaultUrl": "https://kept"})
    publish(all_parts(place, release))
    assert find_differences(place, release) == []
    assert place.factory.content["properties"]["globalParameters"]["keyVaultUrl"]["value"] == "https://kept"


def test_an_unused_value_is_created_if_missing_and_otherwise_kept(place, release):
    values = {**VALUES, "awsAccessKeyId": UNUSED, "keyVaultUrl": UNUSED}
    place = Target(place.settings, place.files, place.factory, values)
    place.factory.set_global_parameters(place.factory.content, {"keyVaultUrl": "https://kept"})
    publish(all_parts(place, release))
    assert find_differences(place, release) == []
    found = place.factory.content["properties"]["globalParameters"]
    assert (found["awsAccessKeyId"]["value"], found["keyVaultUrl"]["value"]) == (UNUSED, "https://kept")


def test_the_substitutes_have_the_calls_of_the_clients():
    from d2c.clients.azure.factory_definitions import FactoryDefinitions

    for real, substitute in ((DatabricksFiles, Files), (FactoryDefinitions, Factory)):
        calls = {name for name in vars(real) if not name.startswith("_")}
        assert calls <= set(vars(substitute))
