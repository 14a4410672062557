"""Errors of the data source.

CosmosSourceError
├── OptionError                 an option that is unknown, impossible or not supported here
├── DocumentError               a row that is no document that can be written
├── CallFailedError             a call that is refused for good, or failed too often
├── RangeGoneError              a call for a physical partition that has been split
└── BulkOperationFailedError    an operation on a document that is refused for good, or failed too often
"""


class CosmosSourceError(Exception):
    """An error of the data source; its text names the thing, the cause and the next step."""


class OptionError(CosmosSourceError):
    """An option is unknown, impossible or not supported here."""


class DocumentError(CosmosSourceError):
    """A row is no document that can be written."""


class CallFailedError(CosmosSourceError):
    """A call is refused for good, or failed too often."""


class RangeGoneError(CosmosSourceError):
    """The physical partition of a call has been split since its ranges were looked up."""


class BulkOperationFailedError(CosmosSourceError):
    """An operation on a document is refused for good, or failed too often.

    The connector calls it BulkOperationFailedException, for point writes too. It never shows the document.
    """

    def __init__(self, status: int, sub_status: int, document_id: str, partition_key: str, why: str) -> None:
        super().__init__(
            f"BulkOperationFailedException: status {status}/{sub_status} for the item with id "
            f"{document_id!r} and partition key {partition_key}: {why}"
        )
