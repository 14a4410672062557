import pytest

from localcloud.databricks.errors import ApiError
from localcloud.databricks.runs.submission import parse_submission

TASK = {
    "task_key": "load",
    "notebook_task": {"notebook_path": "/n", "base_parameters": {"a": "1"}},
    "new_cluster": {"spark_version": "17.3.x-scala2.13"},
}


def test_a_request_comes_with_its_defaults():
    submission = parse_submission({"tasks": [TASK]})
    assert (submission.run_name, submission.token, submission.timeout_seconds) == ("Untitled", None, 0)
    assert submission.parameters == {"a": "1"}


def test_the_shorter_of_both_timeouts_counts_and_zero_is_none():
    task = {**TASK, "timeout_seconds": 50}
    assert parse_submission({"tasks": [task], "timeout_seconds": 0}).timeout_seconds == 50
    assert parse_submission({"tasks": [task], "timeout_seconds": 20}).timeout_seconds == 20


@pytest.mark.parametrize(
    ("request_", "code", "named"),
    [
        ([], "MALFORMED_REQUEST", "not a JSON object"),
        ({}, "INVALID_PARAMETER_VALUE", "One task"),
        ({"tasks": [TASK, TASK]}, "INVALID_PARAMETER_VALUE", "has 2"),
        ({"tasks": [{**TASK, "task_key": ""}]}, "INVALID_PARAMETER_VALUE", "task_key"),
        ({"tasks": [{**TASK, "existing_cluster_id": "x"}]}, "INVALID_PARAMETER_VALUE", "either"),
        ({"tasks": [{**TASK, "spark_jar_task": {}}]}, "INVALID_PARAMETER_VALUE", "spark_jar_task"),
        ({"tasks": [TASK], "timeout_seconds": True}, "MALFORMED_REQUEST", "timeout_seconds"),
        ({"tasks": [TASK], "timeout_seconds": -1}, "INVALID_PARAMETER_VALUE", "negative"),
        (
            {"tasks": [{**TASK, "notebook_task": {"notebook_path": "/n", "source": "GIT"}}]},
            "INVALID_PARAMETER_VALUE",
            "GIT",
        ),
        (
            {"tasks": [{**TASK, "notebook_task": {"notebook_path": "/n", "base_parameters": {"a": 1}}}]},
            "INVALID_PARAMETER_VALUE",
            "base_parameters.a",
        ),
        (
            {
                "tasks": [
                    {**TASK, "notebook_task": {"notebook_path": "/n", "base_parameters": {"a": "x" * 2**20}}}
                ]
            },
            "INVALID_PARAMETER_VALUE",
            "exceed",
        ),
        (
            {"tasks": [{**TASK, "libraries": [{"whl": "/a.whl", "maven": {"coordinates": "x"}}]}]},
            "INVALID_PARAMETER_VALUE",
            "one of",
        ),
        (
            {"tasks": [{**TASK, "libraries": [{"maven": {"coordinates": "x", "repo": "y"}}]}]},
            "INVALID_PARAMETER_VALUE",
            "repo",
        ),
        (
            {"tasks": [{**TASK, "new_cluster": {"spark_version": "x", "init_scripts": []}}]},
            "INVALID_PARAMETER_VALUE",
            "init_scripts",
        ),
    ],
)
def test_faults_are_named(request_, code, named):
    with pytest.raises(ApiError, match=named) as raised:
        parse_submission(request_)
    assert (raised.value.status, raised.value.code) == (400, code)
