"""Whatever stands where a load run writes for the app, it is taken as it was declared, or refused in words."""

import json

from hypothesis import strategies as st

from d2c.errors import PermanentError, TransientError
from d2c.load_run.told.progress import parse_progress
from d2c.load_run.told.result import parse_result
from d2c.state.progress import percent_of_table
from tests.builders import a_census, a_load_run_result, a_stage, a_verification, an_error, some_sums
from tests.fuzz.fuzzing import fuzzed, odd_values, spoilt, torn, within_bounds

PATH = "migrations/m/tables/Music/start-0-1/result.json"
REPLAYED = {"stages": [a_stage("replay"), a_stage("verify")], "replayed": some_sums(), "loaded": None}
FAILED = {"state": "failed", "error": an_error(stage="load"), "stages": [a_stage("load", state="failed")]}
results = st.sampled_from(
    (
        a_load_run_result(),
        a_load_run_result(**REPLAYED),
        a_load_run_result(**FAILED, loaded=None),
        a_load_run_result(verification=a_verification(different=None), census=a_census(attributes=[])),
    )
)
progresses = st.sampled_from(
    (
        {"stages": [a_stage("assess", state="running")]},
        {"stages": [a_stage("assess"), a_stage("load", state="running")], "done": 3, "total": 8},
    )
)


def written(value):
    return json.dumps(value).encode()


def files(sound):
    """Make the bytes of files: as written, with odd values, torn, or of something else."""
    values = spoilt(sound) | sound
    return values.map(written) | torn(values.map(written)) | odd_values.map(written) | st.binary(max_size=64)


@fuzzed(files(results))
def test_a_result_is_taken_as_it_was_declared_or_refused(content):
    with within_bounds():
        try:
            found = parse_result(content, PATH)
        except (PermanentError, TransientError) as refused:
            assert PATH in str(refused)
            assert len(str(refused)) < 1_000
            return
    assert parse_result(written(found), PATH) == found
    assert (found["state"] == "failed") == bool(found["error"])
    assert percent_of_table(found["state"], found["stages"][-1]["stage"]) >= 50


@fuzzed(files(progresses))
def test_a_progress_tells_a_stage_and_counts_or_nothing(content):
    with within_bounds():
        found = parse_progress(content)
    if found is not None:
        assert parse_progress(written(found)) == found
        assert 50 <= percent_of_table("running", found["stages"][-1]["stage"], found) <= 100
