"""All of the outside that Azure's and Databricks' SDKs reach over `requests`, replaced below the SDKs."""

import base64
import json
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from requests.adapters import HTTPAdapter

from .http import Answer, Call, StubService

CLAIMS = {"appid": "11111111-aaaa-4bbb-8ccc-000000000001", "oid": "22222222-aaaa-4bbb-8ccc-000000000002"}
TENANT = "33333333-aaaa-4bbb-8ccc-000000000003"
IDENTITY = f"client id {CLAIMS['appid']}, object id {CLAIMS['oid']}, tenant {TENANT}"
SIGNATURE = "c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"


def token(**claims: str) -> str:
    """Return an access token as Entra ID makes it: header, claims and signature."""
    parts = ({"typ": "JWT", "alg": "RS256"}, {"aud": "x", **CLAIMS, "tid": TENANT, **claims})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*encoded, SIGNATURE))


class SignedIn:
    """A credential that has been signed in."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(token(), 2**31)

    def get_token_info(self, *scopes: str, **_: Any) -> AccessTokenInfo:
        return AccessTokenInfo(token(), 2**31)


def replace_outside(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> StubService:
    """Let every request end at a stub that answers in turn."""
    service = StubService(*answers)

    def send(adapter: HTTPAdapter, request: Any, **_: Any) -> Any:
        return service.send(request)

    monkeypatch.setattr(HTTPAdapter, "send", send)
    return service


def answer_by_path(answers: dict[str, Answer], otherwise: Answer) -> Any:
    """Return what answers by how a call's path ends."""

    def answer(call: Call) -> Answer:
        return next((found for end, found in answers.items() if call.path.endswith(end)), otherwise)

    return answer
