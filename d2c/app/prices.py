"""Prices and assumptions: defaults with date, region and source, which `D2C_PRICES` overrides.

A price is confirmed if its source itself was read. The others are widely published; look them up before you rely on
them: prices change, and yours may differ.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from d2c.app.environment import MOST_CHARACTERS, json_object
from d2c.foreign_json import quoted

Json = dict[str, Any]


@dataclass(frozen=True)
class Price:
    """The price of one unit; ``amount`` is None if it is unknown."""

    amount: float | None
    unit: str
    region: str
    as_of: str
    source: str
    is_confirmed: bool


@dataclass(frozen=True)
class Assumption:
    """A figure that cannot be known in advance, with its basis."""

    value: float
    unit: str
    why: str


@dataclass(frozen=True)
class Prices:
    """All prices and assumptions by name, and the currency."""

    currency: str
    prices: Mapping[str, Price]
    assumptions: Mapping[str, Assumption]

    def assumed(self, name: str) -> float:
        """Return the value of an assumption."""
        return self.assumptions[name].value

    def to_dict(self) -> Json:
        """Return them as JSON."""
        return {
            "currency": self.currency,
            "prices": {name: asdict(price) for name, price in self.prices.items()},
            "assumptions": {name: asdict(each) for name, each in self.assumptions.items()},
        }


def prices_from(document: Mapping[str, Any]) -> Prices:
    """Return the prices that `Prices.to_dict` returned as JSON."""
    return Prices(
        document["currency"],
        {name: Price(**price) for name, price in document["prices"].items()},
        {name: Assumption(**each) for name, each in document["assumptions"].items()},
    )


US_EAST_1, US_AZURE = "us-east-1", "US, Azure"
S3_PRICES, DYNAMODB_PRICES = "https://aws.amazon.com/s3/pricing/", "https://aws.amazon.com/dynamodb/pricing/"
COSMOS_BILL = "https://learn.microsoft.com/azure/cosmos-db/understand-your-bill"
FACTORY_PRICES = "https://learn.microsoft.com/azure/data-factory/pricing-concepts"
DATABRICKS_PRICES = "https://azure.microsoft.com/pricing/details/databricks/"
VM_PRICES = "https://azure.microsoft.com/pricing/details/virtual-machines/linux/"
FUNCTIONS_PRICES = "https://azure.microsoft.com/pricing/details/functions/"
LAKE_PRICES = "https://azure.microsoft.com/pricing/details/storage/data-lake/"

# What `D2C_PRICES` has.
PARTS: Mapping[str, type] = {
    "currency": str,
    "as_of": str,
    "region": str,
    "prices": dict,
    "assumptions": dict,
}
KIND_NAMES: Mapping[type, str] = {str: "text", dict: "a JSON object"}
OTHER_MACHINE = re.compile(r"(?:vm_hour|dbu_per_hour):[A-Za-z0-9_-]{1,64}")
MOST_NAME_CHARACTERS = 64
AS_GIVEN = "as given"
# Whatever they are multiplied with or divided by, the result is finite.
LEAST_ASSUMPTION, MOST_NUMBER = 1e-6, 1e15

# A cautious guess: Microsoft reports gigabytes per second at most, and whole factories that copied far less.
# https://learn.microsoft.com/azure/data-factory/data-migration-guidance-s3-azure-storage
DEFAULT_COPY_BYTES_PER_SECOND = 50_000_000

DEFAULTS = Prices(
    currency="USD",
    prices={
        "dynamodb_export": Price(0.10, "GB exported", US_EAST_1, "2026-09", DYNAMODB_PRICES, False),
        "dynamodb_recovery": Price(0.20, "GB and month", US_EAST_1, "2026-09", DYNAMODB_PRICES, False),
        "s3_storage": Price(0.023, "GB and month", US_EAST_1, "2026-09", S3_PRICES, False),
        "s3_put": Price(0.005, "1,000 requests", US_EAST_1, "2026-09", S3_PRICES, False),
        "s3_get": Price(0.0004, "1,000 requests", US_EAST_1, "2026-09", S3_PRICES, False),
        "aws_transfer_out": Price(0.09, "GB to the internet", US_EAST_1, "2026-09", S3_PRICES, False),
        "factory_diu_hour": Price(0.25, "DIU and hour", US_AZURE, "2021-09-07", FACTORY_PRICES, True),
        "factory_activity_runs": Price(
            1.00, "1,000 activity runs", US_AZURE, "2021-09-07", FACTORY_PRICES, True
        ),
        "databricks_job_dbu": Price(0.30, "DBU, Premium", US_AZURE, "2026-04", DATABRICKS_PRICES, False),
        "databricks_all_purpose_dbu": Price(
            0.55, "DBU, Premium", US_AZURE, "2026-04", DATABRICKS_PRICES, False
        ),
        "vm_hour:Standard_D4ds_v5": Price(0.226, "hour", "East US", "2026-04", VM_PRICES, False),
        "dbu_per_hour:Standard_D4ds_v5": Price(
            1.0, "hour, in DBU", US_AZURE, "2026-04", DATABRICKS_PRICES, False
        ),
        "cosmos_100_ru_hour": Price(
            0.008, "100 RU/s and hour, one region", US_AZURE, "2022-03-31", COSMOS_BILL, True
        ),
        "cosmos_storage": Price(0.25, "GB and month", US_AZURE, "2022-03-31", COSMOS_BILL, True),
        "lake_storage": Price(0.021, "GB and month, hot", "East US", "2026-04", LAKE_PRICES, False),
        "functions_gb_second": Price(
            0.000026, "GB and second, Flex Consumption", "East US", "2025-05", FUNCTIONS_PRICES, False
        ),
    },
    assumptions={
        "export_seconds": Assumption(
            360, "seconds", "the smallest exports that were seen took 5 to 12 minutes; none is promised"
        ),
        "export_bytes_per_second": Assumption(100e6, "bytes/s of the table", "no figure is documented"),
        "compression": Assumption(
            0.4, "bytes in S3 for each of the table", "DynamoDB JSON, gzipped; depends on the data"
        ),
        "bytes_per_file": Assumption(100e6, "bytes in S3", "depends on the table's partitions"),
        "copy_seconds": Assumption(60, "seconds", "two copy activities begin one after the other"),
        "copy_bytes_per_second": Assumption(
            DEFAULT_COPY_BYTES_PER_SECOND, "bytes/s", "cautious; D2C_COPY_BYTES_PER_SECOND sets it"
        ),
        "factory_dius": Assumption(
            4, "DIU", "what Data Factory takes at least; D2C_COPY_INTEGRATION_UNITS sets it"
        ),
        "prepare_seconds": Assumption(30, "seconds", "hours, where a container grows beyond its partitions"),
        "cluster_seconds": Assumption(300, "seconds", "until a new cluster has its machines and libraries"),
        "items_per_core_second": Assumption(5_000, "items/s and core", "benchmarks/README.md, halved"),
        "cores_per_node": Assumption(4, "cores", "Standard_D4ds_v5"),
        "function_gb_seconds_per_hour": Assumption(
            240, "GB-s for each hour of a table", "a look a minute, two seconds of 2 GB"
        ),
    },
)


def read_prices(text: str, copy_bytes_per_second: int, copy_units: int = 0) -> Prices:
    """Read ``D2C_PRICES``: a JSON object, or the path of a file with one; omitted values keep their defaults.

    Args:
        text: the setting; empty for the defaults.
        copy_bytes_per_second: the expected speed of copies, which is a setting of its own.
        copy_units: the integration units of copies, likewise; 0 where Data Factory chooses.

    Raises:
        ValueError: with a sentence about the fault.
    """
    set_elsewhere = {"copy_bytes_per_second": copy_bytes_per_second, "factory_dius": copy_units}
    copying = {
        name: replace(DEFAULTS.assumptions[name], value=value)
        for name, value in set_elsewhere.items()
        if value
    }
    defaults = replace(DEFAULTS, assumptions={**DEFAULTS.assumptions, **copying})
    if not text:
        return defaults
    given = json_object("D2C_PRICES", text if text.lstrip().startswith("{") else _file_text(text))
    try:
        return _with_given(defaults, given)
    except ValueError as error:
        raise ValueError(f"D2C_PRICES: {error}") from None


def _file_text(path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            return file.read(MOST_CHARACTERS + 1)
    except OSError as error:
        raise ValueError(f"D2C_PRICES names a file that cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError("D2C_PRICES names a file that is not UTF-8 text") from None


def _with_given(defaults: Prices, given: Json) -> Prices:
    if given.keys() - PARTS.keys():
        raise ValueError(f"it is a JSON object with {', '.join(PARTS)}, each optional")
    for name, kind in PARTS.items():
        if not isinstance(given.get(name, kind()), kind):
            raise ValueError(f"{name} is {quoted(given[name])}, not {KIND_NAMES[kind]}")  # noqa: TRY004 - a fault of a setting
    currency, as_of, region = (_short(name, given.get(name)) for name in ("currency", "as_of", "region"))
    prices = dict(defaults.prices)
    for name, amount in given.get("prices", {}).items():
        if name not in prices and not OTHER_MACHINE.fullmatch(name):
            raise ValueError(
                f"prices.{quoted(name)}: unknown; the names are {', '.join(prices)}, and vm_hour and dbu_per_hour of "
                "other node types"
            )
        _check_number(name, amount, least=0)
        unit = prices[name].unit if name in prices else "hour"
        prices[name] = Price(amount, unit, region or AS_GIVEN, as_of or AS_GIVEN, "D2C_PRICES", True)
    assumptions = dict(defaults.assumptions)
    for name, value in given.get("assumptions", {}).items():
        if name not in assumptions:
            raise ValueError(f"assumptions.{quoted(name)}: unknown; the names are {', '.join(assumptions)}")
        _check_number(name, value, least=LEAST_ASSUMPTION)
        assumptions[name] = replace(assumptions[name], value=value, why="D2C_PRICES")
    return Prices(currency or defaults.currency, prices, assumptions)


def _short(name: str, text: str | None) -> str | None:
    if text and len(text) > MOST_NAME_CHARACTERS:
        raise ValueError(f"{name} is {quoted(text)}; at most {MOST_NAME_CHARACTERS} characters")
    return text


def _check_number(name: str, value: Any, least: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= MOST_NUMBER:
        raise ValueError(f"{name}: {quoted(value)} is not a number from {least:g} to {MOST_NUMBER:g}")
