"""Who may do what: each request's credentials, signature and policies, and a log of the actions that were asked for."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.aws.errors import RefusedError, service_of
from localcloud.aws.iam.policies import allows
from localcloud.aws.iam.requests import Asked, asked_by
from localcloud.aws.iam.sessions import UNKNOWN_KEY, Session, Sessions
from localcloud.aws.iam.signatures import check_signature, read_authorization
from localcloud.aws.iam.stack import Account

Environment = Mapping[str, Any]
# The access key of an account's owner, who may do everything, is this and the account's number.
OWNER_KEY = "LOCAL"
DENIED_STATUS = {"s3": 403, "dynamodb": 400, "sts": 403}
DENIED_CODE = {"s3": "AccessDenied", "dynamodb": "AccessDeniedException", "sts": "AccessDenied"}
UNSIGNED = {
    "s3": ("AccessDenied", "Access Denied", 403),
    "dynamodb": ("MissingAuthenticationTokenException", "Request is missing Authentication Token", 400),
    "sts": ("MissingAuthenticationToken", "Request is missing Authentication Token", 403),
}


@dataclass(frozen=True)
class Caller:
    """Whoever makes a request: a session of a role, or the owner of an account."""

    account: str
    session: Session | None


class ActionLog:
    """Which actions sessions have asked for, each once, in a file that outlives the process.

    Args:
        path: the file; a line of JSON for each.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_text().splitlines() if path.exists() else ()
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def note(self, session: Session, action: str, *, allowed: bool) -> None:
        """Remember an action; ``scoped`` says whether its session was allowed less than its role."""
        entry = {
            "role": session.role_arn,
            "scoped": session.policy is not None,
            "action": action,
            "allowed": allowed,
        }
        with self._lock:
            if entry not in self.entries:
                self.entries.append(entry)
                with self._path.open("a") as file:
                    file.write(json.dumps(entry) + "\n")


class Access:
    """Checks requests.

    Args:
        accounts: by their numbers.
        sessions: knows temporary credentials.
        owner_secret: the secret access key of the accounts' owners.
        log: where actions are noted.
    """

    def __init__(
        self, accounts: Mapping[str, Account], sessions: Sessions, owner_secret: str, log: ActionLog
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._owner_secret = owner_secret
        self.log = log

    def admit(self, environment: Environment, body: bytes) -> Caller:
        """Return who makes a request, once its signature holds and its policies allow it.

        Raises:
            RefusedError: as the service refuses it.
        """
        service = service_of(environment)
        parts = read_authorization(environment)
        if parts is None:
            raise RefusedError(*UNSIGNED[service])
        caller, secret = self._identify(service, parts["key"], environment.get("HTTP_X_AMZ_SECURITY_TOKEN"))
        check_signature(environment, body, parts, secret, service)
        # Everybody may ask STS who they are, and a session nothing else.
        if caller.session and service != "sts":
            asked = asked_by(environment, body, parts["region"], caller.account)
            denial = self._denial(caller.session, asked)
            if denial:
                raise RefusedError(DENIED_CODE[service], denial, DENIED_STATUS[service])
        return caller

    def may(self, caller: Caller, asked: Asked) -> bool:
        """Return whether somebody may do something that another service does in their name."""
        return caller.session is None or self._denial(caller.session, asked) is None

    def _identify(self, service: str, key_id: str, token: str | None) -> tuple[Caller, str]:
        number = key_id.removeprefix(OWNER_KEY)
        if key_id.startswith(OWNER_KEY) and number in self._accounts:
            return Caller(number, None), self._owner_secret
        if not token:
            raise RefusedError(*UNKNOWN_KEY[service])
        session = self._sessions.read(service, key_id, token)
        return Caller(session.account, session), self._sessions.secret_key(key_id)

    def _denial(self, session: Session, asked: Asked) -> str | None:
        """Return why a session may not do something, in AWS's words, or None if it may.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        """
        role = self._accounts[session.account].roles.get(session.role_arn)
        because = None
        if role is None or not allows(role.policies, asked.action, asked.resource, asked.context):
            because = f"no identity-based policy allows the {asked.action} action"
        elif session.policy and not allows([session.policy], asked.action, asked.resource, asked.context):
            because = f"no session policy allows the {asked.action} action"
        self.log.note(session, asked.action, allowed=because is None)
        if because is None:
            return None
        resource = f'"{asked.resource}"' if asked.action.startswith("s3:") else asked.resource
        what = f"{asked.action} on resource: {resource}"
        return f"User: {session.arn} is not authorized to perform: {what} because {because}"
