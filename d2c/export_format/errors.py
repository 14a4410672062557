"""What can be wrong with an export's files."""

from d2c.errors import PermanentError


class ExportFormatError(PermanentError):
    """A file of an export is not as DynamoDB writes it: damaged, cut off, or of another export."""

    default_title = "The export is damaged"

    def __init__(
        self, detail: str, next_step: str = "Copy the export again; if that does not help, export again."
    ) -> None:
        super().__init__(detail, next_step)
