"""Checks that span systems: clocks, the webhook, the plan's times, and the deployed parts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from d2c.checks.findings import Finding, Findings
from d2c.deploy.parts import Part
from d2c.plan.model import Plan
from d2c.plan.schedule import seconds_until_open

CLOCK, WEBHOOK, SCHEDULE = "clock", "webhook", "times"
# AWS rejects requests signed more than five minutes ago or ahead; Azure allows fifteen.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
MAX_SKEW = timedelta(minutes=5)
NOTABLE_SKEW = timedelta(minutes=1)


VERSION = "this version's"
DEPLOY = "Deploy this version, unless the difference is intended: d2c deploy."


def check_clocks(
    addresses: Mapping[str, Callable[[], str]], skew: Callable[[str], timedelta]
) -> list[Finding]:
    """Compare the app's clock with those of the services.

    Args:
        addresses: functions that return the address of a service, by the service's name.
        skew: returns how far the clock at an address is ahead of ours.
    """
    findings = Findings("Clocks")
    for name, address in addresses.items():
        with findings.attempt(name, CLOCK):
            _check_skew(findings, name, skew(address()))
    return findings.found


def _check_skew(findings: Findings, name: str, ahead: timedelta) -> None:
    seconds = round(abs(ahead).total_seconds())
    direction = "behind" if ahead > timedelta() else "ahead of"
    difference = f"The app's clock is {seconds:,} seconds {direction} the service's."
    next_step = "Synchronize the clock of the app's machine with a time server."
    if abs(ahead) >= MAX_SKEW:
        findings.failed(name, CLOCK, f"{difference} Services reject signatures with a wrong time.", next_step)
    elif abs(ahead) >= NOTABLE_SKEW:
        findings.warning(name, CLOCK, difference, next_step)
    else:
        findings.ok(
            name, CLOCK, "It agrees with the app's to a few seconds." if seconds > 1 else "It agrees."
        )


def check_webhook(url: str) -> list[Finding]:
    """Check whether notifications are sent; the settings themselves are validated when they are read."""
    findings = Findings("Notifications")
    if url:
        host = urlsplit(url).hostname
        findings.ok(str(host), WEBHOOK, "Signed events are sent there; the check sent none.")
    else:
        findings.skipped(
            "webhook", WEBHOOK, "None is set, so no notifications are sent.", "docs/operate/notifications.md"
        )
    return findings.found


def check_schedule(plan: Plan, now: datetime) -> list[Finding]:
    """Check when the plan's stages would start."""
    findings = Findings("Plan")
    with findings.attempt(plan.name, SCHEDULE):
        start_at = datetime.fromisoformat(plan.start_at) if plan.start_at else None
        starts_at = max(start_at, now) if start_at else now
        starts_at += timedelta(seconds=seconds_until_open(starts_at, plan.between, plan.time_zone))
        if start_at and start_at < now:
            findings.warning(
                plan.name,
                SCHEDULE,
                f"start_at, {plan.start_at}, has passed: stages start at {starts_at.isoformat(timespec='minutes')}.",
                "Correct start_at, or omit it.",
            )
        elif plan.start == "when_exports_arrive":
            findings.ok(
                plan.name,
                SCHEDULE,
                "A migration starts for each export that arrives (docs/operate/events.md).",
            )
        elif starts_at > now:
            findings.ok(plan.name, SCHEDULE, f"Stages start at {starts_at.isoformat(timespec='minutes')}.")
        else:
            findings.ok(plan.name, SCHEDULE, "Stages start immediately.")
    return findings.found


def check_deployment(parts: Callable[[], Sequence[Part]]) -> list[Finding]:
    """Compare each deployed part; a difference may be intended, such as a pipeline with other integration units.

    Args:
        parts: returns the deployed parts.
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
        findings.ok(part.thing, VERSION, "It matches this version.")
    for each in differences:
        findings.warning(each.thing, VERSION, f"It is {each.found}, not {each.expected}.", DEPLOY)
