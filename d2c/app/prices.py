"""Prices and assumptions: defaults with date, region and source, which `D2C_PRICES` overrides.

A price is confirmed if its source itself was read. The others are widely published; look them up before you rely on
them: prices change, and yours may differ.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

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
        "copy_seconds": Assumption(60, "seconds", "four copy activities begin one after another"),
        "copy_bytes_per_second": Assumption(
            DEFAULT_COPY_BYTES_PER_SECOND, "bytes/s", "cautious; D2C_COPY_BYTES_PER_SECOND sets it"
        ),
        "factory_dius": Assumption(4, "DIU", "what Data Factory takes where a pipeline asks for none"),
        "prepare_seconds": Assumption(30, "seconds", "hours, where a container grows beyond its partitions"),
        "cluster_seconds": Assumption(300, "seconds", "until a new cluster has its machines and libraries"),
        "items_per_core_second": Assumption(5_000, "items/s and core", "benchmarks/README.md, halved"),
        "cores_per_node": Assumption(4, "cores", "Standard_D4ds_v5"),
        "read_ru_per_kb": Assumption(1, "RU", "https://learn.microsoft.com/azure/cosmos-db/request-units"),
        "function_gb_seconds_per_hour": Assumption(
            240, "GB-s for each hour of a table", "a look a minute, two seconds of 2 GB"
        ),
    },
)


def read_prices(text: str, copy_bytes_per_second: int) -> Prices:
    """Read ``D2C_PRICES``: a JSON object, or the path of a file with one; omitted values keep their defaults.

    Args:
        text: the setting; empty for the defaults.
        copy_bytes_per_second: the expected speed of copies, which is a setting of its own.

    Raises:
        ValueError: with a sentence about the fault.
    """
    copying = replace(DEFAULTS.assumptions["copy_bytes_per_second"], value=copy_bytes_per_second)
    defaults = replace(DEFAULTS, assumptions={**DEFAULTS.assumptions, "copy_bytes_per_second": copying})
    if not text:
        return defaults
    try:
        given = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text())
        return _with_given(defaults, given)
    except OSError as error:
        raise ValueError(f"D2C_PRICES names a file that cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"D2C_PRICES: {error}") from None


def _with_given(defaults: Prices, given: Any) -> Prices:
    if not isinstance(given, dict) or given.keys() - {"currency", "as_of", "region", "prices", "assumptions"}:
        raise ValueError(
            "it is a JSON object with currency, as_of, region, prices and assumptions, each optional"
        )
    origin = {name: str(given.get(name, "as given")) for name in ("as_of", "region")}
    prices = dict(defaults.prices)
    for name, amount in given.get("prices", {}).items():
        _check_number(name, amount)
        if name not in prices and ":" not in name:
            raise ValueError(
                f"prices.{name}: unknown; the names are {', '.join(prices)}, and vm_hour and dbu_per_hour of other "
                "node types"
            )
        unit = prices[name].unit if name in prices else "hour"
        prices[name] = Price(amount, unit, origin["region"], origin["as_of"], "D2C_PRICES", True)
    assumptions = dict(defaults.assumptions)
    for name, value in given.get("assumptions", {}).items():
        _check_number(name, value)
        if name not in assumptions or not value:
            raise ValueError(f"assumptions.{name}: unknown, or 0; the names are {', '.join(assumptions)}")
        assumptions[name] = replace(assumptions[name], value=value, why="D2C_PRICES")
    return Prices(str(given.get("currency", defaults.currency)), prices, assumptions)


def _check_number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name}: {value!r} is not a number of at least 0")
