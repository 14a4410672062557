"""The clocks of other systems, from the ``Date`` header that every HTTP response has."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from d2c.app.addresses import LOOPBACK_HOSTS
from d2c.clients.connections import trusted_authorities
from d2c.errors import TransientError

TIMEOUT_SECONDS = 10.0


def clock_skew(url: str) -> timedelta:
    """Return how far a server's clock is ahead of ours, to about a second.

    Args:
        url: the server's address; its response does not matter.

    Raises:
        TransientError: if it does not answer, or does not send its time.
    """
    # Importing it delays the start of a worker.
    import httpx

    host = urlsplit(url).hostname
    sent = datetime.now(UTC)
    try:
        # The answer itself is not read, whatever its size.
        with httpx.stream(
            "GET",
            url,
            timeout=TIMEOUT_SECONDS,
            verify=trusted_authorities(),
            trust_env=host not in LOOPBACK_HOSTS,
        ) as answer:
            server_time = parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TransientError(
            f"{host} did not answer: {type(error).__name__}.", "Check the address and the network."
        ) from error
    except (KeyError, ValueError, OverflowError) as error:
        raise TransientError(
            f"{host} does not send its time.", "Check that the address is the service's."
        ) from error
    # The header has whole seconds, so it is half a second behind on average.
    here = sent + (datetime.now(UTC) - sent) / 2
    return server_time + timedelta(seconds=0.5) - here
