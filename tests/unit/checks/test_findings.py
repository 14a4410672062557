import pytest

from d2c.checks.findings import Findings, counts_of_findings, state_of_findings
from d2c.errors import PermanentError, TransientError


def test_what_goes_wrong_in_an_attempt_is_a_finding_and_what_comes_after_it_goes_on():
    findings = Findings("Lake")
    with findings.attempt("lake", "can be read"):
        raise PermanentError("Lake file x: the service answered 403.", "Grant the role.")
    findings.ok("lake", "other", "It is fine.")
    assert findings.found == [
        {
            "system": "Lake",
            "thing": "lake",
            "check": "can be read",
            "state": "failed",
            "finding": "Lake file x: the service answered 403.",
            "next_step": "Grant the role.",
        },
        {
            "system": "Lake",
            "thing": "lake",
            "check": "other",
            "state": "ok",
            "finding": "It is fine.",
            "next_step": "",
        },
    ]


def test_a_defect_in_a_check_is_a_finding_too():
    findings = Findings("Lake")
    with findings.attempt("lake", "can be read"):
        raise KeyError("surprise")
    assert findings.found[0]["state"] == "failed"
    assert "KeyError" in findings.found[0]["finding"]


def test_nobody_is_told_that_the_check_is_tried_again():
    findings = Findings("Lake")
    with findings.attempt("lake", "can be read"):
        raise TransientError("No answer.", "Retrying. Check the network.")
    assert findings.found[0]["next_step"] == "Check again. Check the network."


def test_what_only_the_check_wants_to_see_is_skipped_where_it_may_not():
    findings = Findings("S3")
    with findings.attempt("exports", "encryption", is_needed=False):
        raise PermanentError("s3://exports: GetBucketEncryption answered AccessDenied.", "Grant it.")
    assert findings.found[0]["state"] == "skipped"


def test_a_finding_quotes_no_secret():
    findings = Findings("Lake")
    findings.failed(
        "lake", "can be read", "https://a.blob.core.windows.net/x?sv=1&sig=abcdef refused", "Look."
    )
    assert "abcdef" not in findings.found[0]["finding"]


@pytest.mark.parametrize(
    ("made", "state"),
    [
        ([], "succeeded"),
        (["ok", "skipped"], "succeeded"),
        (["warning"], "succeeded"),
        (["ok", "failed"], "failed"),
    ],
)
def test_a_check_has_failed_if_one_finding_has_and_warnings_stop_nothing(made, state):
    findings = [{"state": one} for one in made]
    assert state_of_findings(findings) == state
    assert counts_of_findings(findings)["ok"] == made.count("ok")
