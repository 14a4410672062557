"""Measure how long an ordinary GET takes while the app works on the worst bodies and files that it allows.

Run it as ``python -m benchmarks.beside_worst_bodies [--seconds 30] [--senders 4] [--json]``. The local cloud's
Functions host runs the app; senders post bodies of the largest size without a pause, each as costly as its kind can be,
and put manifests and plans of the largest size into the lake, whose events the app handles. Beside the milliseconds of
a GET are those of the host's processor meanwhile, which it would take on a machine that does nothing else.
"""

import argparse
import itertools
import json
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from d2c.api.requests import MOST_BODY_BYTES
from d2c.app.settings import read_settings
from d2c.clients.azure.lake import Lake, connect_lake
from d2c.export_format.manifest import MOST_BYTES, SUMMARY_FILE
from d2c.plan.model import MOST_PLAN_BYTES
from localcloud.cloud.app_settings import app_settings, lake_connection
from localcloud.cloud.services import Cloud, running_cloud
from localcloud.common import names
from localcloud.common.ports import free_port

SERVICES = ("entra", "aws", "lake")
PLAN = {"name": "worst", "database": "d", "region": names.AWS_REGION}
STANDING = {**PLAN, "start": "when_exports_arrive"}
# One fails at once, for there is no such table, and one waits for ever.
ENDED, RUNNING = {**PLAN, "name": "ended"}, {**PLAN, "name": "running", "start_at": "2099-01-01T00:00:00Z"}
OPERATED = {"retry": "ended", "verify": "ended", "replay": "ended", "cancel": "running"}
PAUSE_SECONDS = 0.02
TIMEOUT_SECONDS = 120.0

Json = dict[str, Any]
Body = tuple[str, bytes]
Get = tuple[float, float]


def main() -> None:
    """Print the milliseconds of GETs, alone and beside, and what was worked on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cloud(Path(folder), SERVICES, functions_port=free_port()) as cloud,
    ):
        cloud.start("functions_host")
        found = _measured(cloud, options)
    if options.json:
        print(json.dumps({"options": vars(options), **found}))
        return
    for name, value in found.items():
        print(f"{name:44} {value:10,.1f}" if isinstance(value, float) else f"{name:44} {value}")


def _measured(cloud: Cloud, options: argparse.Namespace) -> Json:
    settings = read_settings({**app_settings(cloud.identity), "D2C_LAKE": lake_connection(cloud.identity)})
    lake, api = connect_lake(settings), f"{cloud.identity.url('functions_host')}/api"
    _start_migrations(api)
    host = cloud.processes["functions_host"].process.pid
    alone = _gets(api, host, options.seconds / 3)
    answered: Counter[str] = Counter()
    with _beside(options.senders, lambda number: _send(api, number, answered)), _beside(1, _puts(lake)):
        beside = _gets(api, host, options.seconds)
    return {
        **_quantiles("GET alone", alone),
        **_quantiles("GET beside the worst bodies", beside),
        "bodies answered": sum(answered.values()),
        "answers": dict(answered),
    }


def _start_migrations(api: str) -> None:
    """Start the two migrations, and wait until the one has failed."""
    for plan in (ENDED, RUNNING):
        body = {**plan, "tables": [{"table": "Music"}]}
        httpx.post(f"{api}/migrations", json=body, timeout=TIMEOUT_SECONDS).raise_for_status()
    while httpx.get(f"{api}/migrations/ended", timeout=TIMEOUT_SECONDS).json()["state"] != "failed":
        time.sleep(1)


def _quantiles(name: str, gets: list[Get]) -> Json:
    found: Json = {f"{name}, calls": len(gets)}
    for unit, times in zip(("ms", "processor ms"), zip(*gets, strict=True), strict=True):
        found |= {
            f"{name}, median {unit}": statistics.median(times),
            f"{name}, p95 {unit}": sorted(times)[len(times) * 95 // 100],
            f"{name}, longest {unit}": max(times),
        }
    return found


def _gets(api: str, host: int, seconds: float) -> list[Get]:
    """Return the milliseconds of GETs one after the other, and those of the host's processor."""
    end, gets = time.monotonic() + seconds, []
    while time.monotonic() < end:
        began, used = time.perf_counter(), _processor_ms(host)
        httpx.get(f"{api}/migrations", timeout=TIMEOUT_SECONDS).raise_for_status()
        gets.append(((time.perf_counter() - began) * 1000, _processor_ms(host) - used))
        time.sleep(PAUSE_SECONDS)
    return gets


def _processor_ms(process: int) -> float:
    """Return the processor time that the threads of a process have had."""
    tasks = Path(f"/proc/{process}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1_000_000


@contextmanager
def _beside(threads: int, act: Callable[[int], None]) -> Iterator[None]:
    """Repeat an action in threads, each time with the next number."""
    ended, numbers = threading.Event(), itertools.count()

    def repeat() -> None:
        while not ended.is_set():
            act(next(numbers))

    started = [threading.Thread(target=repeat, daemon=True) for _ in range(threads)]
    for thread in started:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in started:
            thread.join()


def _send(api: str, number: int, answered: Counter[str]) -> None:
    path, body = BODIES[number % len(BODIES)]
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{api}/{path}", content=body, headers=headers, timeout=TIMEOUT_SECONDS)
    answered[str(answer.status_code)] += 1


def _puts(lake: Lake) -> Callable[[int], None]:
    def put(number: int) -> None:
        lake.write(f"exports/worst/{number}/{SUMMARY_FILE}", MANIFESTS[number % len(MANIFESTS)])
        lake.write(f"plans/worst-{number % 10}.json", PLANS[number % len(PLANS)])
        time.sleep(0.5)

    return put


def _filled(begin: str, piece: str, end: str, most_bytes: int) -> bytes:
    """Return as much text as there may be: its ends, and a piece repeated between them."""
    count = (most_bytes - len(begin) - len(end)) // len(piece)
    return (begin + piece * count + end).encode()


def _tables(count: int, **fields: Any) -> list[Json]:
    return [{"table": f"Table{number}", **fields} for number in range(count)]


def _plans() -> list[bytes]:
    """Return plans of about the largest size: sound, full of faults, deep, of one long text, of secrets."""
    colours = {f"colour{number}": 1 for number in range(60)}
    rules = {"set": {f"name{number:04d}": "x" * 8 for number in range(40)}}
    begin = json.dumps({**STANDING, "tables": []})[:-2]
    plans = (
        json.dumps({**STANDING, "tables": _tables(1000, rules=rules)}).encode(),
        json.dumps({**STANDING, "tables": _tables(1000, **colours)}).encode(),
        json.dumps({**STANDING, "tables": [{"table": "T", "rules": {"drop": [1] * 300_000}}]}).encode(),
        _filled(begin, '{"table":"a*"},', '{"table":"b"}]}', MOST_PLAN_BYTES),
        _filled('{"name":"', "-eyJ", '"}', MOST_PLAN_BYTES),
        _filled('{"', "password=", '":1}', MOST_PLAN_BYTES),
        _filled("", "[", "", MOST_PLAN_BYTES),
        _filled("[", "[],", "[]]", MOST_PLAN_BYTES),
        _filled("{", '"a":1,', '"a":1}', MOST_PLAN_BYTES),
    )
    return [plan[:MOST_PLAN_BYTES] for plan in plans]


def _operated(action: str) -> Iterator[Body]:
    """Return bodies of an operation of about the largest size: full of faults, of unknown tables, and of none."""
    path, most = f"migrations/{OPERATED[action]}/{action}", MOST_BODY_BYTES
    yield path, _filled('{"tables":[', '{"table":"x","colour":1},', '{"table":"y"}]}', most)
    yield path, _filled('{"tables":[', '"x",', '"y"]}', most)
    yield path, _filled("[", "{},", "{}]", most)


PLANS = _plans()
BODIES: list[Body] = [
    *(("migrations", plan) for plan in PLANS),
    *(body for action in OPERATED for body in _operated(action)),
]
MANIFESTS = [
    _filled('{"exportArn":"', "-eyJ", '"}', MOST_BYTES[SUMMARY_FILE]),
    _filled("[", "[],", "[]]", MOST_BYTES[SUMMARY_FILE]),
    _filled('{"a":', "[", "", MOST_BYTES[SUMMARY_FILE]),
]

if __name__ == "__main__":
    main()
