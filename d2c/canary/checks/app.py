"""What the deployed app is, and does besides moving tables."""

from d2c.canary.findings import Found, UntriedError, fails, holds, judged
from d2c.canary.scene import Scene

# A plan that lies there for longer is handled by the watchdog too (`d2c.control.lake_events.sweep.GRACE`).
EVENT_SECONDS = 60
SHOWN = 3
STATES = {"ok": holds, "failed": fails, "warning": fails}
LEAST_STEPS = 2


def aws_sign_in(scene: Scene) -> Found:
    """Look at the role that the app says that it is signed in as."""
    return _of_finding(scene, "AWS", "identity")


def lake_namespace(scene: Scene) -> Found:
    """Look whether the app learnt of the lake's hierarchical namespace."""
    return _of_finding(scene, "Lake", "hierarchical namespace")


def _of_finding(scene: Scene, system: str, check: str) -> Found:
    one = scene.finding(system, check)
    if one["state"] not in STATES:
        raise UntriedError(one["finding"])
    return STATES[one["state"]](one["finding"])


def everything_reached(scene: Scene) -> Found:
    """Look whether the app's check found no failure, and every table arrived."""
    if not scene.findings:
        raise UntriedError(f"The app's check did not end. {' '.join(scene.trouble)}".strip())
    failed = [f"{one['thing']}: {one['finding']}" for one in scene.findings if one["state"] == "failed"]
    if failed:
        return fails(" ".join(failed[:SHOWN]))
    return _all_moved(scene, "app, clusters and factory reached everything")


def roles_suffice(scene: Scene) -> Found:
    """Look whether the copy and the load were allowed what they did."""
    return _all_moved(scene, "neither the copy nor the load was refused anything")


def _all_moved(scene: Scene, seen: str) -> Found:
    parts = scene.reported()["tables"]
    errors = [f"{part['table']}: {(part['error'] or {}).get('detail', part['state'])}" for part in parts]
    failed = [error for part, error in zip(parts, errors, strict=True) if part["state"] != "succeeded"]
    return fails(" ".join(failed)) if failed else holds(f"{len(parts)} tables were moved; {seen}.")


def deployment_unchanged(scene: Scene) -> Found:
    """Compare the deployed parts with this version, as a second `d2c deploy` does."""
    found = [f"{each.thing} is {each.found}, not {each.expected}" for each in scene.deployment.differences()]
    return fails("; ".join(found[:SHOWN])) if found else holds("A second d2c deploy would publish nothing.")


def plan_in_lake(scene: Scene) -> Found:
    """Look whether the app answered a plan that was put into the lake, before its watchdog would."""
    if scene.plan_answer is None:
        scene.reported()
        return fails(f"{scene.names.plan_file} was not answered: the event did not reach the app.")
    seconds, answer = scene.plan_answer
    if seconds > EVENT_SECONDS:
        raise UntriedError(f"The answer took {seconds:.0f} seconds, and may be the watchdog's.")
    outcome = "accepted" if answer.get("id") == scene.names.run else f"refused ({answer.get('detail')})"
    return holds(f"The plan was {outcome} after {seconds:.1f} seconds.")


def progress_shown(scene: Scene) -> Found:
    """Look whether the status of the migration went on while it ran."""
    scene.reported()
    steps = {
        (table["table"], table["stage"], table["percent"]): None
        for status in scene.statuses
        for table in status["tables"]
        if table["state"] == "running"
    }
    texts = dict.fromkeys(f"{stage} {percent} %" for _, stage, percent in steps)
    return judged(len(steps) >= LEAST_STEPS, f"Seen while it ran: {', '.join(texts) or 'nothing'}.")
