"""A small app that uses what the host has to have."""

import datetime
import json
import os
import pathlib
import threading

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
LEDGER = pathlib.Path(os.environ["SAMPLE_LEDGER"])
# How many activities a test lets begin before it kills the host; the last of them does not end.
LIMIT = LEDGER.with_name("limit")
one_at_a_time = threading.Lock()


def note(text):
    """Write down that something happened, for tests to count."""
    with LEDGER.open("a") as ledger:
        ledger.write(text + "\n")


@app.route(route="start/{name}/{id}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    instance = await client.start_new(req.route_params["name"], req.route_params["id"], req.get_json())
    return client.create_check_status_response(req, instance)


@app.route(route="status/{id}")
@app.durable_client_input(client_name="client")
async def status(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    found = await client.get_status(req.route_params["id"])
    return func.HttpResponse(json.dumps(found.to_json() if found else None), mimetype="application/json")


@app.route(route="raise/{id}/{event}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def raise_event(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    await client.raise_event(req.route_params["id"], req.route_params["event"], req.get_json())
    return func.HttpResponse(status_code=202)


@app.orchestration_trigger(context_name="context")
def fan(context: df.DurableOrchestrationContext):
    results = yield context.task_all([context.call_activity("double", n) for n in range(context.get_input())])
    return sum(results)


@app.orchestration_trigger(context_name="context")
def fan_later(context: df.DurableOrchestrationContext):
    yield context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=1))
    return (yield context.call_sub_orchestrator("fan", context.get_input()))


@app.orchestration_trigger(context_name="context")
def parent(context: df.DurableOrchestrationContext):
    results = yield context.task_all([context.call_sub_orchestrator("fan", n) for n in (2, 3)])
    context.set_custom_status({"children": len(results)})
    return results


@app.orchestration_trigger(context_name="context")
def retries(context: df.DurableOrchestrationContext):
    options = df.RetryOptions(20, 3)
    return (yield context.call_activity_with_retry("flaky", options, context.instance_id))


@app.orchestration_trigger(context_name="context")
def fails(context: df.DurableOrchestrationContext):
    yield context.call_activity("always_fails", 1)


@app.orchestration_trigger(context_name="context")
def race(context: df.DurableOrchestrationContext):
    timer = context.create_timer(
        context.current_utc_datetime + datetime.timedelta(milliseconds=context.get_input())
    )
    event = context.wait_for_external_event("go")
    winner = yield context.task_any([timer, event])
    if winner == event:
        timer.cancel()
        return "event"
    return "timer"


@app.orchestration_trigger(context_name="context")
def counts_down(context: df.DurableOrchestrationContext):
    left = context.get_input()
    yield context.call_activity("double", left)
    if left:
        context.continue_as_new(left - 1)
        return None
    return "done"


@app.orchestration_trigger(context_name="context")
def talks_too_much(context: df.DurableOrchestrationContext):
    context.set_custom_status("x" * 20_000)
    yield context.call_activity("double", 1)


@app.activity_trigger(input_name="n")
def double(n: int) -> int:
    with one_at_a_time:
        limit = int(LIMIT.read_text()) if LIMIT.exists() else None
        begun = LEDGER.read_text().count("double")
        if limit is None or begun < limit:
            note(f"double {n}")
    if limit is not None and begun >= limit - 1:
        threading.Event().wait()
    return n * 2


@app.activity_trigger(input_name="key")
def flaky(key: str) -> str:
    note(f"flaky {key}")
    if LEDGER.read_text().count(f"flaky {key}\n") < 3:
        raise ValueError("not yet")
    return "at last"


@app.orchestration_trigger(context_name="context")
def asks(context: df.DurableOrchestrationContext):
    return (yield context.call_activity("ask_for_status", context.instance_id))


@app.activity_trigger(input_name="instance")
@app.durable_client_input(client_name="client")
async def ask_for_status(instance: str, client: df.DurableOrchestrationClient) -> str:
    return str((await client.get_status(instance)).runtime_status.value)


@app.activity_trigger(input_name="n")
async def always_fails(n: int) -> None:
    raise ValueError("as always")


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_SCHEDULE%")
@app.durable_client_input(client_name="client")
async def on_time(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    note(f"timer {timer.past_due} {await client.get_status('nothing') or 'nothing'}")


@app.route(route="page/{*path}", auth_level=func.AuthLevel.ANONYMOUS)
def whole_page(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"page {req.route_params.get('path', 'itself')}")


@app.route(route="page/openapi.json", auth_level=func.AuthLevel.ANONYMOUS)
def openapi(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("{}", mimetype="application/json")


@app.route(route="page/secret", auth_level=func.AuthLevel.FUNCTION)
def secret(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("secret")


@app.blob_trigger(arg_name="blob", path="%SAMPLE_CONTAINER%/{path}/summary.json", connection="SAMPLE_STORAGE")
def on_summary(blob: func.InputStream) -> None:
    note(f"summary {blob.name}")


@app.blob_trigger(arg_name="blob", path="%SAMPLE_CONTAINER%/stubborn/{name}", connection="SAMPLE_STORAGE")
def on_stubborn(blob: func.InputStream) -> None:
    note(f"stubborn {blob.name}")
    raise ValueError("as always")


@app.blob_trigger(arg_name="blob", path="%SAMPLE_CONTAINER%/in/{name}.txt", connection="SAMPLE_STORAGE")
def on_blob(blob: func.InputStream) -> None:
    note(f"blob {blob.name} {blob.read().decode()}")
