"""The table of all checks: their names, which docs/develop/outside-calls.md has too, and what they assume."""

from collections.abc import Callable
from dataclasses import dataclass

from d2c.canary.checks import app, documents, export, load
from d2c.canary.findings import Found
from d2c.canary.scene import Scene


@dataclass(frozen=True)
class Check:
    """One check: its name, the assumption, how it is tried in a few words, and the function that tries it."""

    name: str
    assumption: str
    tried: str
    look: Callable[[Scene], Found]


CHECKS = (
    Check(
        "aws-sign-in",
        "the app signs in to AWS with its managed identity",
        "the app's check names its role",
        app.aws_sign_in,
    ),
    Check(
        "lake-namespace",
        "the app may ask for the kind of the lake's namespace",
        "the app's check says that it is hierarchical",
        app.lake_namespace,
    ),
    Check(
        "deployment-unchanged",
        "Data Factory returns its definitions in a form that is recognized",
        "d2c deploy --check finds no difference",
        app.deployment_unchanged,
    ),
    Check(
        "everything-reached",
        "app, clusters and factory reach everything that they call",
        "the app's check has no failure, and the tables are moved",
        app.everything_reached,
    ),
    Check(
        "roles-suffice",
        "roles with conditions by path let Data Factory copy and Spark write",
        "the tables are moved",
        app.roles_suffice,
    ),
    Check(
        "plan-in-lake",
        "events of the lake reach the app, which may read and answer a plan",
        "a plan in plans/ is answered within a minute",
        app.plan_in_lake,
    ),
    Check(
        "progress-shown",
        "Durable's custom status, and a look at the stages, show how far a migration is",
        "the status changes while it runs",
        app.progress_shown,
    ),
    Check(
        "export-encryption",
        "DynamoDB encrypts an export as it was asked to",
        "s3SseAlgorithm in the manifest, and the encryption of a data file",
        export.export_encryption,
    ),
    Check(
        "copy-hides-secrets",
        "Data Factory shows a copy run's keys to nobody afterwards",
        "the run's parameters, and inputs and outputs of its activities",
        export.copy_hides_secrets,
    ),
    Check(
        "copy-lists-by-prefix",
        "Data Factory lists S3 with the export's folder as prefix",
        "a copy succeeds whose session may list no other",
        export.copy_lists_by_prefix,
    ),
    Check(
        "load-run-visible",
        "people may see the load runs, which are the app's own",
        "your sign-in lists the load run in Databricks",
        load.load_run_visible,
    ),
    Check(
        "progress-from-threads",
        "a thread of the notebook may write to the lake",
        "each table has its progress.json",
        load.progress_from_threads,
    ),
    Check(
        "tables-side-by-side",
        "threads of the notebook may use Spark at the same time",
        "the stages of two tables overlap",
        load.tables_side_by_side,
    ),
    Check(
        "storage-by-cluster",
        "fs.azure settings of a cluster apply to DataFrames and dbutils.fs",
        "the load run reads and writes the lake with them",
        load.storage_by_cluster,
    ),
    Check(
        "operation-type",
        "the connector writes an attribute operationType as it is",
        "the migrated document has it",
        documents.operation_type,
    ),
    Check(
        "numbers-kept",
        "numbers come back as they were written",
        "a document with numbers of 38 digits and doubles at their limits",
        documents.numbers,
    ),
    Check(
        "sets-and-binaries-kept",
        "sets, binaries, nulls and empty values come back as they were written",
        "a document with all of them, nested",
        documents.sets_and_binaries,
    ),
    Check(
        "odd-ids",
        "Cosmos DB takes every id that the mapping makes, and finds it again",
        "ids of Unicode, slashes, blanks, # and ?, each read by its id",
        documents.odd_ids,
    ),
    Check(
        "null-partition-key",
        "an explicit null is a partition key of its own",
        "a document with null as partition key",
        documents.null_key,
    ),
    Check(
        "verified-right-after-load",
        "a read with LatestCommitted has every document that was answered for",
        "the verification right after the load has no mismatch",
        load.verified_right_after,
    ),
    Check(
        "counted-by-index",
        "a query that counts documents is answered with the partitioning Restrictive",
        "a table that is verified by counts",
        load.counted_by_index,
    ),
    Check(
        "request-units",
        "a write costs no more request units than the estimate counts",
        "one document more of 1 KB, and its charge",
        load.request_units,
    ),
)
