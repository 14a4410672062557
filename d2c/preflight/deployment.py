"""What was deployed beside the app, against what the app's own version would deploy."""

from collections.abc import Callable, Sequence

from d2c.deploying.parts import Part
from d2c.preflight.findings import Finding, Findings

VERSION = "this version's"
DEPLOY = "Deploy this version, unless the difference is meant: d2c deploy."


def check_deployment(parts: Callable[[], Sequence[Part]]) -> list[Finding]:
    """Compare each part; one that differs may be meant, such as a pipeline with other integration units.

    Args:
        parts: returns what is deployed beside the app.
    """
    findings = Findings("Deployment")
    with findings.attempt("deployment", VERSION, is_needed=False):
        for part in parts():
            with findings.attempt(part.thing, VERSION, is_needed=False):
                _compare(findings, part)
    return findings.found


def _compare(findings: Findings, part: Part) -> None:
    differences = part.differences()
    if not differences:
        findings.ok(part.thing, VERSION, "It is as this version deploys it.")
    for each in differences:
        findings.warning(each.thing, VERSION, f"It is {each.found}, not {each.expected}.", DEPLOY)
