"""The app with substitutes for Durable's client and for the lake's file system, called by its HTTP functions."""

import asyncio
import inspect
import json

import azure.functions as func
import pytest
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from d2c.clients.azure.async_lake import AsyncLake
from d2c.clients.azure.lake import Lake
from d2c.control.app import App
from tests.api_document import check_answer
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem
from triggers import http_api
from triggers.answers import answers_problems

BASE = "https://my-app.azurewebsites.net/api"
KEY = "function-key-of-the-caller"
HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "x-functions-key": KEY}
UNDER_WAY = ("Pending", "Running", "ContinuedAsNew")
FUNCTIONS = {
    ("POST", "migrations"): http_api.start_migration,
    ("POST", "plans"): http_api.propose_plan,
    ("GET", "checks/{id}"): http_api.get_check,
    ("GET", "migrations"): http_api.list_migrations,
    ("GET", "migrations/{id}"): http_api.get_migration,
    ("GET", "migrations/{id}/report"): http_api.get_report,
    ("POST", "migrations/{id}/cancel"): http_api.cancel_migration,
    ("POST", "migrations/{id}/retry"): http_api.retry_migration,
    ("POST", "migrations/{id}/suspend"): http_api.suspend_migration,
    ("POST", "migrations/{id}/resume"): http_api.resume_migration,
    ("POST", "migrations/{id}/verify"): http_api.verify_migration,
    ("POST", "migrations/{id}/replay"): http_api.replay_rejected_items,
    ("GET", "migrations/{id}/rejected"): http_api.list_rejected_items,
}


def user_function(built):
    """Return a function of the app below its decorators: one that takes the app."""
    return inspect.unwrap(built._function.get_user_function())


class SdkError(Exception):
    """Stands for the bare Exception that Durable's client raises for every refusal."""


class SubstituteClient:
    """The part of Durable's client that the triggers use, over statuses that a test sets."""

    def __init__(self):
        self.statuses = {}
        self.started = []
        self.events = []
        self.statuses_of_a_page = 100
        self.before_event = lambda: None

    async def get_status(self, instance, show_input=False):
        told = self.statuses.get(instance, {})
        return DurableOrchestrationStatus.from_json(
            told if show_input or not told else {**told, "input": None}
        )

    async def get_status_by(self, runtime_status, instance_id_prefix):
        told = [
            self.statuses[instance] for instance in self.statuses if instance.startswith(instance_id_prefix)
        ]
        wanted = [state.value for state in runtime_status]
        page = [status for status in told if status["runtimeStatus"] in wanted][: self.statuses_of_a_page]
        return [DurableOrchestrationStatus.from_json(status) for status in page]

    async def start_new(self, name, instance_id, client_input):
        if self.statuses.get(instance_id, {}).get("runtimeStatus") in UNDER_WAY:
            raise SdkError("An Orchestration instance with the status Running already exists.")
        # Durable looks, then writes: starts at the same moment are all accepted, and one of them is what runs.
        await asyncio.sleep(0)
        self.started.append((name, instance_id, client_input))
        self.set(instance_id, "Pending", value=json.dumps(client_input))
        return instance_id

    async def terminate(self, instance, reason):
        assert reason
        self.statuses[instance] |= {"runtimeStatus": "Terminated", "output": reason}

    async def raise_event(self, instance, event, data):
        self.before_event()
        if self.statuses.get(instance, {}).get("runtimeStatus") not in UNDER_WAY:
            raise SdkError(f"Instance with ID {instance} is gone: either completed or failed")
        self.events.append((instance, event))

    def create_http_management_payload(self, instance):
        hook = f"https://my-app.azurewebsites.net/runtime/webhooks/durabletask/instances/{instance}"
        return {
            "id": instance,
            "statusQueryGetUri": f"{hook}?taskHub=D2C&connection=Storage&code=system",
            "terminatePostUri": f"{hook}/terminate?code=system",
        }

    def set(self, instance, status, output=None, shown=None, created=None, value=None):
        """Set an instance's status."""
        created = created.isoformat() if created else "2026-01-31T12:00:05.678Z"
        self.statuses[instance] = {
            "name": "any",
            "instanceId": instance,
            "createdTime": created,
            "lastUpdatedTime": "2026-01-31T12:30:00Z",
            "runtimeStatus": status,
            "input": value,
            "output": output,
            "customStatus": shown,
        }


class CalledApp:
    """An app of substitutes: calls its HTTP functions."""

    def __init__(self, **settings):
        self.client = SubstituteClient()
        self.file_system = SubstituteFileSystem()
        self.lake = Lake(self.file_system)
        self.settings = local_settings(**settings)

    @property
    def app(self):
        """The app as functions get it."""
        return App(self.client, AsyncLake(self.lake), self.settings)

    async def call(self, method, route="migrations", *, body=b"", headers=None, **params):
        """Return the answer's status and its JSON value, or text where it is none."""
        migration = params.pop("id", None)
        path = route if migration is None else route.replace("{id}", migration)
        request = func.HttpRequest(
            method=method,
            url=f"{BASE}/{path}?code={KEY}",
            headers=HEADERS if headers is None else headers,
            params={**params, "code": KEY},
            route_params={} if migration is None else {"id": migration},
            body=body,
        )
        answer = await answers_problems(user_function(FUNCTIONS[method, route]))(request, app=self.app)
        self.mimetype, self.headers = answer.mimetype, answer.headers
        text = answer.get_body().decode()
        value = json.loads(text) if "json" in answer.mimetype else text
        check_answer(method, f"/api/{route}", answer.status_code, answer.mimetype, value)
        return answer.status_code, value

    async def start(self, plan):
        return await self.call("POST", body=json.dumps(plan).encode())


@pytest.fixture
def app():
    return CalledApp()
