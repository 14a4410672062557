"""What every error of a client must be like."""

from collections.abc import Callable
from typing import Any

import pytest

from d2c.errors import D2CError, PermanentError, TransientError


def error_of(call: Callable[[], Any]) -> D2CError:
    """Return what a call raises, once its text is one that a user can act on."""
    with pytest.raises(D2CError) as raised:
        call()
    error = raised.value
    assert isinstance(error, PermanentError | TransientError)
    assert error.next_step
    assert "Traceback" not in error.detail
    assert "\n" not in error.detail
    return error
