"""The rights that the operator's own sign-in needs; docs/operate/canary.md has the same table."""

from typing import NamedTuple


class Right(NamedTuple):
    """One right, or a role: in which system, on what, and what for."""

    system: str
    right: str
    on: str
    use: str


RIGHTS = (
    Right("AWS", "dynamodb:CreateTable", "tables d2c-canary-*", "making the two tables"),
    Right("AWS", "dynamodb:TagResource", "tables d2c-canary-*", "tagging them"),
    Right("AWS", "dynamodb:ListTagsOfResource", "tables d2c-canary-*", "--clean"),
    Right("AWS", "dynamodb:DescribeTable", "tables d2c-canary-*", "waiting for them"),
    Right(
        "AWS", "dynamodb:UpdateContinuousBackups", "tables d2c-canary-*", "turning on point-in-time recovery"
    ),
    Right("AWS", "dynamodb:DescribeContinuousBackups", "tables d2c-canary-*", "waiting for it"),
    Right("AWS", "dynamodb:BatchWriteItem", "tables d2c-canary-*", "their items"),
    Right("AWS", "dynamodb:DeleteTable", "tables d2c-canary-*", "removing them"),
    Right("AWS", "dynamodb:ListTables", "*", "--clean"),
    Right("AWS", "s3:ListBucket", "the export bucket", "looking at the exports, and removing them"),
    Right("AWS", "s3:GetObject", "the canary's exports", "looking at manifests and data files"),
    Right("AWS", "s3:DeleteObject", "the canary's exports", "removing them"),
    Right(
        "Lake", "Storage Blob Data Contributor", "the file system", "the plan in plans/, and removing files"
    ),
    Right("Cosmos DB", "Cosmos DB Operator", "the account", "removing the canary's database"),
    Right(
        "Cosmos DB",
        "Cosmos DB Built-in Data Contributor (data plane)",
        "the account",
        "reading the documents, and writing one",
    ),
    Right(
        "Data Factory", "Reader and the role d2c runs copies", "the data factory", "looking at the copy runs"
    ),
    Right("Databricks", "a user of the workspace", "the workspace", "looking for the load runs"),
    Right("Databricks", "Can read", "the notebook and the wheel", "comparing them with this version"),
    Right("App", "a function key", "the app", "starting the migration"),
)
