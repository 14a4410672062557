"""The two ways to a token: a managed identity's, by App Service's protocol, and a service principal's secret.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import secrets
import time
from collections.abc import Mapping, Sequence

from aiohttp import web

from localcloud.common.names import COSMOS_ACCOUNT, TENANT_ID, TOKEN_AUDIENCE
from localcloud.common.principals import PRINCIPALS, Principal
from localcloud.entra.tokens import LIFETIME_SECONDS, issue_token

IDENTITY_PATH = "/msi/token"
LOGIN_PATH = "/{tenant}/oauth2/v2.0/token"
API_VERSION = "2019-08-01"
# The services that the tenant knows; an address may have a slash at its end.
RESOURCES = (
    TOKEN_AUDIENCE,
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://cosmos.azure.com",
    f"https://{COSMOS_ACCOUNT}.documents.azure.com",
    "https://storage.azure.com",
    "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
)


class EntraError(Exception):
    """A refusal: its status, the error's name of OAuth, and a text that begins with its number."""

    def __init__(self, status: int, name: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.name = name


class Entra:
    """The tenant behind HTTP.

    Args:
        signing_key: the private key of its tokens.
        credentials: the secret of each principal by its client id. It is the header of its managed identity, too.
        resources: further services that the tenant knows.
    """

    def __init__(
        self, signing_key: str, credentials: Mapping[str, str], resources: Sequence[str] = ()
    ) -> None:
        self._signing_key = signing_key
        self._credentials = credentials
        self._resources = (*RESOURCES, *resources)

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application()
        app.router.add_get(IDENTITY_PATH, self._managed_identity)
        app.router.add_post(LOGIN_PATH, self._log_in)
        return app

    async def _managed_identity(self, request: web.Request) -> web.Response:
        try:
            caller = self._of_header(request.headers.get("X-IDENTITY-HEADER", ""))
            _check_identity_call(request.query, caller)
            answer = self._token(caller, request.query.get("resource", ""))
        except EntraError as error:
            return web.json_response({"statusCode": error.status, "message": str(error)}, status=error.status)
        expires_on = str(int(time.time()) + LIFETIME_SECONDS)
        return web.json_response({**answer, "expires_on": expires_on, "client_id": caller.client_id})

    async def _log_in(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            caller = self._of_secret(request.match_info["tenant"], form)
            answer = self._token(caller, form.get("scope", "").removesuffix("/.default"))
        except EntraError as error:
            content = {"error": error.name, "error_description": str(error)}
            return web.json_response(content, status=error.status)
        return web.json_response({**answer, "expires_in": LIFETIME_SECONDS})

    def _token(self, caller: Principal, resource: str) -> dict[str, str]:
        if resource.rstrip("/") not in self._resources:
            raise EntraError(
                400,
                "invalid_resource",
                f"AADSTS500011: The resource principal named {resource} was not found in the tenant named {TENANT_ID}.",
            )
        token = issue_token(self._signing_key, resource, caller)
        return {"access_token": token, "token_type": "Bearer", "resource": resource}

    def _of_header(self, header: str) -> Principal:
        for principal in PRINCIPALS:
            if secrets.compare_digest(header.encode(), self._credentials[principal.client_id].encode()):
                return principal
        raise EntraError(403, "forbidden", "The header X-IDENTITY-HEADER is not the one of IDENTITY_HEADER.")

    def _of_secret(self, tenant: str, form: Mapping[str, str]) -> Principal:
        """Return the principal that proves itself.

        https://learn.microsoft.com/entra/identity-platform/reference-error-codes
        """
        if tenant != TENANT_ID:
            text = f"AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
            raise EntraError(400, "invalid_request", text)
        if form.get("grant_type") != "client_credentials":
            text = f"AADSTS70003: The app requested an unsupported grant type '{form.get('grant_type')}'."
            raise EntraError(400, "unsupported_grant_type", text)
        client = form.get("client_id", "")
        principal = next((each for each in PRINCIPALS if each.client_id == client), None)
        if principal is None:
            text = f"AADSTS700016: Application with identifier '{client}' was not found in the directory '{TENANT_ID}'."
            raise EntraError(400, "unauthorized_client", text)
        given = form.get("client_secret", "").encode()
        if not secrets.compare_digest(given, self._credentials[client].encode()):
            text = f"AADSTS7000215: Invalid client secret provided for app '{client}'."
            raise EntraError(401, "invalid_client", text)
        return principal


def _check_identity_call(query: Mapping[str, str], caller: Principal) -> None:
    unknown = query.keys() - {"api-version", "resource", "client_id"}
    if unknown or query.get("api-version") != API_VERSION:
        text = f"Only api-version {API_VERSION}, resource and client_id are supported by the local cloud."
        raise EntraError(400, "invalid_request", text)
    client = query.get("client_id", caller.client_id)
    if client != caller.client_id:
        text = f"No User Assigned or Delegated Managed Identity found for specified ClientId '{client}'."
        raise EntraError(400, "invalid_request", text)
