"""The clocks of other systems, by the ``Date`` header that every HTTP answer has, also one that refuses."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from d2c.app.settings import LOOPBACK_HOSTS
from d2c.errors import TransientError

TIMEOUT_SECONDS = 10.0


def clock_skew(url: str) -> timedelta:
    """Return how far ahead of ours a server's clock is, to about a second.

    Args:
        url: the server's address; what it answers does not matter.

    Raises:
        TransientError: if it does not answer, or does not tell the time.
    """
    host = urlsplit(url).hostname
    sent = datetime.now(UTC)
    try:
        answer = httpx.get(url, timeout=TIMEOUT_SECONDS, trust_env=host not in LOOPBACK_HOSTS)
        told = parsedate_to_datetime(answer.headers["date"])
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TransientError(
            f"{host} did not answer: {type(error).__name__}.", "Check the address and the network."
        ) from error
    except (KeyError, ValueError) as error:
        raise TransientError(
            f"{host} does not tell the time.", "Check that the address is that of the service."
        ) from error
    # The header has whole seconds, so it is half a second behind on average.
    here = sent + (datetime.now(UTC) - sent) / 2
    return told.astimezone(UTC) + timedelta(seconds=0.5) - here
