"""The lake for code on an event loop: every call runs on a thread."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from d2c.clients.azure.lake import MOST_BYTES, Lake
from d2c.clients.threads import in_thread

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class AsyncLake:
    """The calls of `Lake`, awaited.

    Args:
        lake: the lake, whose calls block.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    async def run(
        self,
        function: Callable[Concatenate[Lake, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Call a function with the lake and further arguments on a thread, and return its result."""
        return await in_thread(function, self._lake, *arguments, **named)

    async def read(self, path: str, most_bytes: int = MOST_BYTES) -> bytes | None:
        """Return a file's bytes, or None if there is no such file."""
        return await in_thread(self._lake.read, path, most_bytes)

    async def read_json(self, path: str) -> Any:
        """Return a JSON file's value, or None if there is no such file."""
        return await in_thread(self._lake.read_json, path)

    async def read_log(self, path: str) -> list[Any]:
        """Return the entries of a log in their order; none if there is no such log."""
        return await in_thread(self._lake.read_log, path)

    async def append(self, path: str, entry: Any) -> None:
        """Append an entry to a log."""
        await in_thread(self._lake.append, path, entry)

    async def write(self, path: str, content: bytes) -> None:
        """Write a file, replacing an existing one."""
        await in_thread(self._lake.write, path, content)

    async def write_json(self, path: str, value: Any) -> None:
        """Write a value as a JSON file, replacing an existing one."""
        await in_thread(self._lake.write_json, path, value)

    async def create(self, path: str, content: bytes) -> bool:
        """Write a file unless it exists; return whether this call wrote it."""
        return await in_thread(self._lake.create, path, content)

    async def delete(self, path: str) -> None:
        """Delete a file, if there is one."""
        await in_thread(self._lake.delete, path)

    async def exists(self, path: str) -> bool:
        """Return whether a file exists."""
        return await in_thread(self._lake.exists, path)

    async def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes in bytes of the files below a folder, by their relative paths."""
        return await in_thread(self._lake.sizes, folder)

    async def page(self, prefix: str, size: int, token: str | None) -> tuple[list[str], str | None]:
        """Return one page of the paths below a prefix, and the token of the next page."""
        return await in_thread(self._lake.page, prefix, size, token)
