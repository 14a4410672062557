"""The trials of Microsoft's Cosmos DB SDK for Java: built by Maven into `build/`, and run against an endpoint."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from localcloud.common.checkout import CHECKOUT

PROJECT = Path(__file__).parent / "cosmos_java"
SOURCES = sorted((PROJECT / "src").glob("*.java"))
BUILT = CHECKOUT / "build" / "cosmos_java"
BUILD_SECONDS = 900
RUN_SECONDS = 600
TRIES = 3
UNREACHABLE = re.compile(
    "Could not (transfer|find|resolve)|Connection (refused|timed out|reset)|Unknown host"
)


def trial_names():
    """Return the names of all trials, as the sources have them."""
    texts = [path.read_text() for path in SOURCES]
    return [name for text in texts for name in re.findall(r'new Trial\(\s*"([^"]+)"', text)]


def run_trials(endpoint, key, java_options):
    """Run all trials against an account and return their outcomes by name."""
    classpath = _dependencies()
    _run(["javac", "-proc:none", "-d", str(BUILT), "-cp", classpath, *map(str, SOURCES)], BUILD_SECONDS)
    command = ["java", *java_options, "-cp", os.pathsep.join([str(BUILT), classpath]), "Main", endpoint]
    output = _run(command, RUN_SECONDS, COSMOS_KEY=key)
    outcomes = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {outcome["name"]: outcome for outcome in outcomes}


def _dependencies():
    """Return the class path of the SDK, which Maven fetches once."""
    path = BUILT / "classpath.txt"
    if not path.exists() or path.stat().st_mtime < (PROJECT / "pom.xml").stat().st_mtime:
        BUILT.mkdir(parents=True, exist_ok=True)
        _fetch(["dependency:build-classpath", f"-Dmdep.outputFile={path}"])
    return path.read_text().strip()


def _fetch(goal):
    """Run Maven, again if its registry fails; where that goes on, the tests are skipped."""
    command = ["mvn", "-q", "-B", "-f", str(PROJECT / "pom.xml"), *goal]
    for _ in range(TRIES):
        ended = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS)
        if ended.returncode == 0:
            return
        if not UNREACHABLE.search(ended.stdout):
            break
    else:
        pytest.skip("Maven's registry does not serve the SDK for Java here")
    raise AssertionError(f"mvn failed:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}")


def _run(command, seconds, **environment):
    ended = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=seconds
    )
    assert ended.returncode == 0, f"{command[0]} failed:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
    return ended.stdout
