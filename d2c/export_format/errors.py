"""The error of a damaged export."""

from d2c.errors import PermanentError


class ExportFormatError(PermanentError):
    """A file of an export is damaged, truncated, or of another export."""

    default_title = "The export is damaged"

    def __init__(
        self,
        detail: str,
        next_step: str = "Copy the export again. If the error persists, export the table again.",
    ) -> None:
        super().__init__(detail, next_step)
