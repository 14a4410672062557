"""Bodies of requests, validated whole, with every fault named at once."""

from typing import TypeVar

from pydantic import ValidationError

from d2c.errors import BodyError
from d2c.plan import StrictModel, fault_text

Model = TypeVar("Model", bound=StrictModel)


def read_body(model: type[Model], body: bytes) -> Model:
    """Read the body of a request.

    Args:
        model: what it has to be.
        body: UTF-8 JSON, or nothing where all fields may be left out.

    Raises:
        BodyError: with every fault of it.
    """
    try:
        return model.model_validate_json(body.strip() or b"{}")
    except ValidationError as error:
        raise BodyError([fault_text(item, "the body") for item in error.errors()]) from None
