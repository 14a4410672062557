"""The SDK's values as the typed data that the host sends, and back."""

import json
from typing import Any

import azure.functions as func

from localcloud.functions_host.worker.messages import Message, OneOf

CONTENT_TYPE = "content-type"


def data_of(value: Any) -> tuple[OneOf, dict[str, OneOf]]:
    """Return what triggers a function as typed data, with the trigger's metadata.

    Args:
        value: an `HttpRequest`, an `InputStream`, a `TimerRequest`'s JSON text, or JSON text.
    """
    if isinstance(value, func.HttpRequest):
        return _http(value), {}
    if isinstance(value, func.InputStream):
        content = value.read()
        # As the host tells of a blob: these three are what the SDK reads.
        told = {"BlobTrigger": value.name, "Uri": value.uri, "Properties": {"Length": len(content)}}
        return OneOf(bytes=content), {name: _json(known) for name, known in told.items()}
    return OneOf(json=str(value)), {}


def value_of(data: OneOf | None) -> Any:
    """Return an answer: an `HttpResponse` for HTTP's, else its text, bytes or JSON text."""
    if data is None:
        return None
    (kind,) = vars(data)
    found = getattr(data, kind)
    if kind != "http":
        return found
    headers = dict(found.headers)
    mimetype = next((text for name, text in headers.items() if name.lower() == CONTENT_TYPE), None)
    return func.HttpResponse(
        value_of(found.body), status_code=int(found.status_code), headers=headers, mimetype=mimetype
    )


def _http(request: func.HttpRequest) -> OneOf:
    return OneOf(
        http=Message(
            method=request.method,
            url=request.url,
            headers=dict(request.headers),
            params=dict(request.route_params),
            query=dict(request.params),
            body=OneOf(bytes=request.get_body()),
        )
    )


def _json(value: Any) -> OneOf:
    return OneOf(string=value) if isinstance(value, str) else OneOf(json=json.dumps(value))
