"""The settings of copy runs beside their credentials."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from d2c.app.environment import SettingsGroup
from d2c.foreign_json import quoted

# 0 leaves the choice to Data Factory.
# https://learn.microsoft.com/azure/data-factory/copy-activity-performance-features
AUTOMATIC = 0
LEAST_UNITS, MOST_UNITS = 2, 256
MOST_PARALLEL_COPIES = 256
# https://learn.microsoft.com/azure/data-factory/naming-rules
RUNTIME = re.compile(r"(?=.{3,63}\Z)[A-Za-z0-9]+(-[A-Za-z0-9]+)*")


def _units(units: int) -> int:
    if 0 < units < LEAST_UNITS:
        raise ValueError(
            f"D2C_COPY_INTEGRATION_UNITS is {units}, not {LEAST_UNITS} to {MOST_UNITS}, or 0 for automatic"
        )
    return units


def _runtime(name: str) -> str:
    if name and not RUNTIME.fullmatch(name):
        raise ValueError(f"D2C_INTEGRATION_RUNTIME is {quoted(name)}, not the name of an integration runtime")
    return name


class CopySettings(SettingsGroup):
    """How Data Factory copies; ``integration_runtime`` is published, and the factory's owner decides if it is empty."""

    integration_units: Annotated[int, AfterValidator(_units)] = Field(
        AUTOMATIC, validation_alias="D2C_COPY_INTEGRATION_UNITS", ge=0, le=MOST_UNITS
    )
    parallel_copies: int = Field(
        AUTOMATIC, validation_alias="D2C_COPY_PARALLEL_COPIES", ge=0, le=MOST_PARALLEL_COPIES
    )
    integration_runtime: Annotated[str, AfterValidator(_runtime)] = Field(
        "", validation_alias="D2C_INTEGRATION_RUNTIME"
    )
