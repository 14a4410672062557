"""What belongs to no one system: clocks, the webhook, and the plan's own times."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from d2c.checks.findings import Finding, Findings
from d2c.deploy.parts import Part
from d2c.plan.model import Plan
from d2c.plan.schedule import seconds_until_open

CLOCK, WEBHOOK, SCHEDULE = "clock", "webhook", "times"
# AWS refuses requests that were signed more than five minutes ago, or ahead; Azure allows fifteen.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
MOST_SKEW = timedelta(minutes=5)
NOTABLE_SKEW = timedelta(minutes=1)


def check_clocks(
    addresses: Mapping[str, Callable[[], str]], skew: Callable[[str], timedelta]
) -> list[Finding]:
    """Compare the app's clock with those of the services.

    Args:
        addresses: what returns the address of each service, by the service's name.
        skew: returns how far ahead of ours the clock at an address is.
    """
    findings = Findings("Clocks")
    for name, address in addresses.items():
        with findings.attempt(name, CLOCK):
            _check_skew(findings, name, skew(address()))
    return findings.found


def _check_skew(findings: Findings, name: str, ahead: timedelta) -> None:
    seconds = round(abs(ahead).total_seconds())
    told = f"The app's clock is {seconds:,} seconds {'behind' if ahead > timedelta() else 'ahead of'} its."
    next_step = "Set the clock of the machine that runs the app by a time server."
    if abs(ahead) >= MOST_SKEW:
        findings.failed(name, CLOCK, f"{told} Services refuse signatures of another time.", next_step)
    elif abs(ahead) >= NOTABLE_SKEW:
        findings.warning(name, CLOCK, told, next_step)
    else:
        findings.ok(
            name, CLOCK, "It agrees with the app's to within seconds." if seconds > 1 else "It agrees."
        )


def check_webhook(url: str) -> list[Finding]:
    """Tell whether notifications are sent; the settings themselves were checked when they were read."""
    findings = Findings("Notifications")
    if url:
        host = urlsplit(url).hostname
        findings.ok(str(host), WEBHOOK, "Events are sent there, signed; none was sent to try it.")
    else:
        findings.skipped(
            "webhook", WEBHOOK, "None is set, so nobody is notified.", "docs/operate/notifications.md"
        )
    return findings.found


def check_schedule(plan: Plan, now: datetime) -> list[Finding]:
    """Tell when the plan's work would begin."""
    findings = Findings("Plan")
    with findings.attempt(plan.name, SCHEDULE):
        start_at = datetime.fromisoformat(plan.start_at) if plan.start_at else None
        begins = max(start_at, now) if start_at else now
        begins += timedelta(seconds=seconds_until_open(begins, plan.between, plan.time_zone))
        if start_at and start_at < now:
            findings.warning(
                plan.name,
                SCHEDULE,
                f"start_at, {plan.start_at}, has passed: stages begin at {begins.isoformat(timespec='minutes')}.",
                "Correct start_at, or leave it out.",
            )
        elif plan.start == "when_exports_arrive":
            findings.ok(
                plan.name,
                SCHEDULE,
                "A migration begins for each export that arrives (docs/operate/events.md).",
            )
        elif begins > now:
            findings.ok(plan.name, SCHEDULE, f"Stages begin at {begins.isoformat(timespec='minutes')}.")
        else:
            findings.ok(plan.name, SCHEDULE, "Stages begin at once.")
    return findings.found


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
