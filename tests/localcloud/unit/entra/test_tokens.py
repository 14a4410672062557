import time

from localcloud.common.principals import SPARK
from localcloud.entra import tokens
from localcloud.entra.tokens import TokenChecks, issue_token, new_signing_key, public_keys

KEY, COSMOS = new_signing_key(), "https://cosmos.azure.com"


def test_a_token_that_was_accepted_is_checked_again_once_it_has_ended(monkeypatch):
    checks, checked = TokenChecks(public_keys(KEY), [COSMOS]), []
    check = checks._claims
    monkeypatch.setattr(checks, "_claims", lambda token: checked.append(token) or check(token))
    token, now = issue_token(KEY, COSMOS, SPARK), time.time()
    assert [checks.caller(token), checks.caller(token), len(checked)] == [SPARK, SPARK, 1]
    monkeypatch.setattr(tokens.time, "time", lambda: now + tokens.LIFETIME_SECONDS + 1)
    assert [checks.caller(token), len(checked)] == [SPARK, 2]
