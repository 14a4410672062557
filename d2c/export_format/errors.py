"""The errors of an export that cannot be loaded."""

from d2c.errors import PermanentError


class ExportFormatError(PermanentError):
    """A file of an export is damaged, truncated, or of another export."""

    default_title = "The export is damaged"

    def __init__(
        self,
        detail: str,
        next_step: str = "Copy the export again. If the error persists, export the table again.",
        title: str | None = None,
    ) -> None:
        super().__init__(detail, next_step, title)


class UnfinishedExportError(ExportFormatError):
    """A file of an export is not what its checksum says; it is damaged, unless somebody still writes it."""


class WrongExportError(ExportFormatError):
    """An export is sound, and of a kind that is not loaded."""

    default_title = "The export is of another kind"
