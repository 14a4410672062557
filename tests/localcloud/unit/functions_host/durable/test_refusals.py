import pytest
from azure.durable_functions.models.actions import ActionType

from localcloud.functions_host.durable.refusals import not_deterministic
from localcloud.functions_host.durable.replay import Turn
from localcloud.functions_host.durable.store import event

CALL = {"actionType": ActionType.CALL_ACTIVITY, "functionName": "copy", "input": "1"}
TIMER = {"actionType": ActionType.CREATE_TIMER, "fireAt": "2026-01-01T00:00:00Z"}


def turn(*actions):
    return Turn(False, None, None, None, None, tuple(actions))


@pytest.mark.parametrize("scheduled", [event(4, 0, Name="load"), event(7, 0, Name="copy"), event(10, 0)])
def test_another_task_under_the_same_number_is_not_deterministic(scheduled):
    assert "Non-Deterministic" in not_deterministic([scheduled], turn((0, CALL)))


@pytest.mark.parametrize(
    ("scheduled", "action"),
    [(event(4, 0, Name="copy"), CALL), (event(10, 0), TIMER), (event(4, 1, Name="x"), CALL)],
)
def test_the_same_task_or_a_new_one_is_fine(scheduled, action):
    assert not_deterministic([scheduled], turn((0, action))) is None
