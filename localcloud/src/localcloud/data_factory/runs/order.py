"""The order of activities by their dependencies, and what the ends of some mean for others."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def decisive_failure(activities: list[Json], results: Mapping[str, str]) -> str | None:
    """Return the name of an activity that failed and that nothing else took care of, or None.

    https://learn.microsoft.com/azure/data-factory/tutorial-pipeline-failure-error-handling
    """
    followed = {name for activity in activities for name in depends_on(activity)}
    decisive = [activity["name"] for activity in activities if activity["name"] not in followed]
    by_name = {activity["name"]: activity for activity in activities}
    while skipped := [name for name in decisive if results[name] == "Skipped"]:
        decisive = [name for name in decisive if name not in skipped]
        decisive += [before for name in skipped for before in depends_on(by_name[name])]
    return next((name for name in decisive if results[name] == "Failed"), None)


def depends_on(activity: Json) -> set[str]:
    """Return the names of the activities that one waits for."""
    return {dependency["activity"] for dependency in activity.get("dependsOn", ())}


def conditions_hold(activity: Json, results: Mapping[str, str]) -> bool:
    """Return whether each dependency ended in one of the ways that this activity waits for."""
    for dependency in activity.get("dependsOn", ()):
        result = results[dependency["activity"]]
        accepted = set(dependency["dependencyConditions"])
        if "Completed" in accepted:
            accepted |= {"Succeeded", "Failed"}
        if result not in accepted:
            return False
    return True
