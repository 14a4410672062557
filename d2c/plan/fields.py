"""The fields of a plan: how their values look, in patterns and in words, and their limits."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from d2c.foreign_json import quoted
from d2c.mapping.numbers import MAX_EXACT_INTEGER

# DynamoDB's limits on concurrent exports of an account in a region: their number, and the total size of their tables.
# A terabyte is taken as 10**12 bytes.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
MOST_EXPORTS = 300
MOST_EXPORT_BYTES = 100 * 10**12
MOST_PARALLEL = 1000
MOST_TABLES_PER_LOAD_RUN = 100

# Patterns, and their meanings in words.
# A name becomes part of orchestration instance ids (at most 100 printable characters) and of lake paths.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$"
TABLE_NAME = r"^[A-Za-z0-9_.-]{3,255}$"
TABLE_NAMES = r"^([A-Za-z0-9_.-]{3,255}|[A-Za-z0-9_.-]{0,254}\*)$"
# What Cosmos DB's SDKs refuse (azure.cosmos._base._validate_resource), and control characters, which neither an address
# of Azure Resource Manager nor a path in the lake can hold.
_FORBIDDEN = r"/\\#?\x00-\x1f\x7f-\x9f"
RESOURCE_NAME = rf"^[^{_FORBIDDEN} ]([^{_FORBIDDEN}]{{0,253}}[^{_FORBIDDEN} ])?$"
ACCOUNT = r"^[0-9]{12}$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
VERIFY = r"^(full|counts|sample:0?\.[0-9]*[1-9][0-9]*)$"
MOMENT = (
    r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})$"
)
TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
# A level of a path in an indexing policy: a plain name, any other in quotes, or the members of an array.
_LEVEL = r'/([A-Za-z0-9_]+|"[^"\\\x00-\x1f\x7f]+"|\[\])'
INDEX_PATH = rf"^(/\*|({_LEVEL})+/[?*])$"
COMPOSITE_PATH = rf"^({_LEVEL})+$"
MEANINGS = {
    NAME: "1 to 48 letters, digits, - or _, the first a letter or digit",
    TABLE_NAME: "a DynamoDB table name: 3 to 255 letters, digits, -, _ or .",
    TABLE_NAMES: "a DynamoDB table name, 3 to 255 letters, digits, -, _ or ., or a prefix of names followed by one *",
    RESOURCE_NAME: "a Cosmos DB name: 1 to 255 characters, none of / \\ # ? or control characters, no space at an end",
    ACCOUNT: "an AWS account's 12 digits",
    REGION: "an AWS region such as eu-west-1",
    VERIFY: "full, counts, or sample: with a part below 1 such as sample:0.01",
    MOMENT: "a moment with its offset from UTC, such as 2026-11-06T22:00:00+01:00",
    TIME_OF_DAY: "a time of the day from 00:00 to 23:59",
    INDEX_PATH: 'a path such as /*, /name/?, /name/* or /"first name"/?',
    COMPOSITE_PATH: 'a path such as /name or /"first name", without /? or /*',
}


class StrictModel(BaseModel):
    """A part of a user's input, validated strictly: no unknown fields, no conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Name = Annotated[str, StringConstraints(pattern=NAME)]
TableName = Annotated[str, StringConstraints(pattern=TABLE_NAME)]
TableNames = Annotated[str, StringConstraints(pattern=TABLE_NAMES)]
Account = Annotated[str, StringConstraints(pattern=ACCOUNT)]
Region = Annotated[str, StringConstraints(pattern=REGION)]
AttributeName = Annotated[str, StringConstraints(min_length=1, max_length=65_535)]
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeDefinition.html
KeyName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Verify = Annotated[str, StringConstraints(pattern=VERIFY)]
MaxParallel = Annotated[int, Field(ge=1, le=MOST_PARALLEL)]
MaxParallelExports = Annotated[int, Field(ge=1, le=MOST_EXPORTS)]
ManualThroughput = Annotated[int, Field(ge=400, le=1_000_000, multiple_of=100)]


def _real_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _window(between: list[str]) -> list[str]:
    if between[0] == between[1]:
        raise ValueError("both times are equal; omit it to let the plan run at any time")
    return between


def _different(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("has an attribute twice; keep one")
    return names


def _constant(value: Any) -> Any:
    if value is not None and type(value) not in (str, int, float, bool):
        raise ValueError("should be text, a number, true, false or null")
    if isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER:
        raise ValueError(f"{value} is a number that Cosmos DB would round; write it as text")
    return value


def _no_part_of_a_path(name: str) -> str:
    if name in (".", ".."):
        raise ValueError(f"{name!r} is no Cosmos DB name, since addresses take it for a folder; use another")
    return name


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"{quoted(name)} is not a time zone; use an IANA name such as Europe/Berlin"
        ) from None
    return name


AttributeNames = Annotated[list[AttributeName], Field(fail_fast=True), AfterValidator(_different)]
Constant = Annotated[str | int | float | bool | None, BeforeValidator(_constant)]
ResourceName = Annotated[str, StringConstraints(pattern=RESOURCE_NAME), AfterValidator(_no_part_of_a_path)]
# A key attribute of an index has at most 255 bytes.
IndexPath = Annotated[str, StringConstraints(pattern=INDEX_PATH, max_length=1024)]
CompositePath = Annotated[str, StringConstraints(pattern=COMPOSITE_PATH, max_length=1024)]
Moment = Annotated[str, StringConstraints(pattern=MOMENT), AfterValidator(_real_moment)]
TimeOfDay = Annotated[str, StringConstraints(pattern=TIME_OF_DAY)]
Window = Annotated[list[TimeOfDay], Field(min_length=2, max_length=2), AfterValidator(_window)]
TimeZone = Annotated[str, AfterValidator(_known_time_zone)]
