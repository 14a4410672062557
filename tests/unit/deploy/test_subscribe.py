import json

import pytest
import yaml

from d2c.deploy.subscribe import LOOKS, NEEDED, PAGE, TRIES, Outside, subscribe_app
from d2c.errors import D2CError, SettingsError
from tests.unit.infra.bicep import INFRA, Bicep

from ..pages import ROOT

EVENTS, MAIN = Bicep(INFRA / "events.bicep"), Bicep(INFRA / "main.bicep")
OUTPUTS = {**{name: name.lower() for name in NEEDED}, "D2C_URL": "https://func-1.azurewebsites.net"}
KEYS, TOPICS, DEPLOYMENT = "functionapp", "eventgrid", "deployment"
DEFENDERS = {"name": "defender", "source": "/subscriptions/s/storageAccounts/D2C_LAKE_NAME"}


class World:
    """What `az` and the app answer, one after the other; the last answer stays."""

    def __init__(self, **answers):
        self.answers = {
            KEYS: [(True, "true\n")],
            TOPICS: [(True, "[]")],
            DEPLOYMENT: [(True, "")],
            "status": [200],
            **answers,
        }
        self.calls, self.pauses, self.told = [], [], []

    def next(self, kind):
        answers = self.answers[kind]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def azure_cli(self, arguments):
        self.calls.append(arguments)
        return self.next(arguments[0])

    def get_status(self, url):
        assert url == OUTPUTS["D2C_URL"] + PAGE
        return self.next("status")

    def subscribe(self, environment=OUTPUTS):
        subscribe_app(
            environment, Outside(self.azure_cli, self.get_status, self.pauses.append), self.told.append
        )

    def deployments(self):
        return [call for call in self.calls if call[0] == DEPLOYMENT]

    def parameters(self):
        (call,) = self.deployments()
        return dict(text.split("=") for text in call[call.index("--parameters") + 1 :])


def test_an_app_that_runs_is_subscribed_without_a_pause():
    world = World()
    world.subscribe()
    assert world.parameters() == {
        "lakeName": "d2c_lake_name",
        "fileSystem": "d2c_lake_file_system",
        "functionAppName": "d2c_function_app",
    }
    assert world.pauses == []


def test_the_template_gets_the_parameters_that_it_needs_and_no_unknown_one():
    world = World(**{TOPICS: [(True, json.dumps([DEFENDERS]))]})
    world.subscribe()
    needed = {name for name, has_default in EVENTS.parameters().items() if not has_default}
    assert needed <= set(world.parameters()) <= set(EVENTS.parameters())
    assert set(NEEDED) <= set(MAIN.outputs())


@pytest.mark.parametrize(
    ("topic", "given"),
    [
        (DEFENDERS, "defender"),
        ({"name": "defender", "properties": {"source": DEFENDERS["source"]}}, "defender"),
        ({**DEFENDERS, "name": "evgt-d2c_lake_name"}, None),
        ({**DEFENDERS, "source": "/subscriptions/s/storageAccounts/other"}, None),
    ],
)
def test_a_topic_that_the_lake_has_already_is_used(topic, given):
    world = World(**{TOPICS: [(True, json.dumps([topic]))]})
    world.subscribe()
    assert world.parameters().get("existingSystemTopic") == given


def test_an_app_that_starts_late_and_a_key_that_comes_later_are_waited_for():
    world = World(status=[0, 503, 200], **{KEYS: [(False, "no host"), (True, "false"), (True, "true")]})
    world.subscribe()
    assert len(world.pauses) == len(world.told) == 4
    assert len(world.deployments()) == 1


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"status": [0]}, f"answers nothing at {PAGE}"),
        ({"status": [500]}, f"answers 500 at {PAGE}"),
        ({KEYS: [(True, "false")]}, "has no key blobs_extension yet"),
        ({KEYS: [(False, "AuthorizationFailed")]}, r"does not tell its keys \(AuthorizationFailed\)"),
    ],
)
def test_an_app_that_does_not_start_is_given_up_after_ten_minutes_with_its_state(answers, told):
    world = World(**answers)
    with pytest.raises(D2CError, match=f"d2c_function_app {told}, 10 minutes after") as refused:
        world.subscribe()
    assert len(world.pauses) == LOOKS - 1
    assert "azd deploy" in refused.value.next_step
    assert world.deployments() == []


def test_without_a_sign_in_nothing_is_waited_for():
    world = World(**{KEYS: [(False, "Please run 'az login' to setup account.")]})
    with pytest.raises(D2CError, match="not signed in"):
        world.subscribe()
    assert world.pauses == []


def test_a_rejected_deployment_is_tried_again():
    world = World(**{DEPLOYMENT: [(False, "URL validation failed"), (True, "")]})
    world.subscribe()
    assert len(world.deployments()) == 2
    assert world.told == ["retrying   URL validation failed"]


def test_a_deployment_that_stays_rejected_is_told_with_its_cause_and_without_a_key():
    world = World(**{DEPLOYMENT: [(False, "refused: https://func-1/runtime/webhooks/blobs?code=s3cret")]})
    with pytest.raises(D2CError, match="refused") as refused:
        world.subscribe()
    assert len(world.deployments()) == TRIES
    assert "s3cret" not in f"{refused.value}{world.told}"


def test_missing_outputs_are_named_before_anything_is_asked():
    world = World()
    with pytest.raises(SettingsError, match="D2C_LAKE_NAME missing"):
        world.subscribe({**OUTPUTS, "D2C_LAKE_NAME": ""})
    assert world.calls == []


def test_azd_subscribes_the_app_after_each_deployment():
    hooks = yaml.safe_load((ROOT / "azure.yaml").read_text())["hooks"]["postdeploy"]
    assert [hook["run"].split("d2c ")[1] for hook in hooks.values()] == ["subscribe", "subscribe"]
