"""host.json, and what of the app's settings belongs to it."""

import json
import re

from d2c.clients.threads import THREADS

from ..pages import ROOT
from .bicep import INFRA

HOST = json.loads((ROOT / "host.json").read_text())
DURABLE = HOST["extensions"]["durableTask"]


def test_there_is_a_thread_for_each_function_that_durable_functions_run_at_once():
    (threads,) = re.findall(
        r"PYTHON_THREADPOOL_THREAD_COUNT: '(\d+)'", (INFRA / "resources.bicep").read_text()
    )
    at_once = DURABLE["maxConcurrentActivityFunctions"] + DURABLE["maxConcurrentOrchestratorFunctions"]
    assert at_once <= int(threads)


def test_an_instance_answers_several_calls_at_once():
    # By default one of Python answers one at a time, and a dashboard's polls start an instance each.
    (at_once,) = re.findall(
        r"http: \{ perInstanceConcurrency: (\d+) \}", (INFRA / "modules/function_app.bicep").read_text()
    )
    assert 1 < int(at_once) <= THREADS


def test_what_a_lost_host_had_taken_comes_back_after_a_minute():
    # The least that the extension takes. It renews the message of an activity that runs.
    storage = DURABLE["storageProvider"]
    assert storage["controlQueueVisibilityTimeout"] == storage["workItemQueueVisibilityTimeout"] == "00:01:00"


def test_nothing_in_it_is_without_effect():
    # With OpenTelemetry the host ignores the settings of Application Insights' own SDK, sampling among them.
    assert HOST["telemetryMode"] == "OpenTelemetry"
    assert "logging" not in HOST
