"""Which calls the clients make to SDKs, read from their source."""

import ast
from collections.abc import Iterator
from pathlib import Path

CLIENTS = Path(__file__).parents[3] / "d2c" / "clients"
SDKS = ("azure", "boto3", "botocore", "databricks", "httpx", "requests")
# The app's own host answers Durable's client, not a service outside.
HOST = ("durable.py", "durable_client.py")
# Functions of ours that return an SDK's object.
RETURN_HANDLES = ("aws_client", "azure_credential", "self._credential")
# SDKs that are called without an object.
MODULES = ("boto3", "httpx")
# Making one of these asks the service already: for the account, and for what the workspace is like.
ASK_WHEN_MADE = {"CosmosClient": "azure", "Config": "databricks"}


def outside_calls() -> set[str]:
    """Return every call as ``module: operation``."""
    sources = [path for path in CLIENTS.rglob("*.py") if path.name not in HOST]
    return {f"{_module(path)}: {call}" for path in sources for call in _calls_of(path)}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(CLIENTS).with_suffix("").parts)


def _calls_of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name.split(".")[0]: (getattr(node, "module", None) or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    sdk_names = {name: package for name, package in imported.items() if package in SDKS}
    for node in tree.body:
        fields = _handle_fields(node, set(sdk_names)) if isinstance(node, ast.ClassDef) else set()
        for function in ast.walk(node):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                handles = fields | _handle_parameters(function, set(sdk_names)) | {*RETURN_HANDLES, *MODULES}
                yield from _calls_in(function, handles | _aliases(function, handles), sdk_names)


def _handle_fields(node: ast.ClassDef, sdk_names: set[str]) -> set[str]:
    """Return the fields of a class that hold an SDK's object which its constructor was given."""
    made = next(
        (part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"), None
    )
    if made is None:
        return set()
    parameters = _handle_parameters(made, sdk_names | {"Any"})
    return {
        f"self.{target.attr}"
        for part in ast.walk(made)
        if isinstance(part, ast.Assign)
        for target in part.targets
        if isinstance(target, ast.Attribute) and _root_of(part.value) in parameters
    }


def _handle_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, sdk_names: set[str]) -> set[str]:
    return {
        argument.arg
        for argument in function.args.args
        if argument.annotation is not None and _root_of(argument.annotation) in sdk_names
    }


def _aliases(function: ast.AST, handles: set[str]) -> set[str]:
    """Return local names of what a handle gave without asking anybody, such as another client."""
    return {
        part.targets[0].id
        for part in ast.walk(function)
        if isinstance(part, ast.Assign)
        and isinstance(part.targets[0], ast.Name)
        and isinstance(part.value, ast.Call)
        and isinstance(part.value.func, ast.Attribute)
        and _is_accessor(part.value.func.attr)
        and _handle_of(part.value.func, handles)
    }


def _calls_in(function: ast.AST, handles: set[str], sdk_names: dict[str, str]) -> Iterator[str]:
    for call in ast.walk(function):
        if not isinstance(call, ast.Call):
            continue
        if isinstance(call.func, ast.Name) and sdk_names.get(call.func.id) == ASK_WHEN_MADE.get(
            call.func.id, "-"
        ):
            yield call.func.id
        if not isinstance(call.func, ast.Attribute):
            continue
        handle = _handle_of(call.func, handles)
        if handle and call.func.attr == "get_paginator":
            yield str(call.args[0].value)  # type: ignore[attr-defined]
        elif handle and not _is_accessor(call.func.attr) and not _reads_an_answer(call.func):
            yield ".".join(
                part for part in _chain(call.func)[len(handle.split(".")) :] if not _is_accessor(part)
            )


def _reads_an_answer(node: ast.Attribute) -> bool:
    """Tell whether what is called is of an answer that another call has had, and not of an SDK's object."""
    inner: ast.expr = node.value
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    if not isinstance(inner, ast.Call):
        return False
    asks = isinstance(inner.func, ast.Attribute) and not _is_accessor(inner.func.attr)
    return asks or (isinstance(inner.func, ast.Attribute) and _reads_an_answer(inner.func))


def _is_accessor(name: str) -> bool:
    """Tell whether a method asks nobody: it makes a client, or another object."""
    return (
        name in ("client", "register")
        or name[0].isupper()
        or (name.startswith("get_") and name.endswith("_client"))
    )


def _handle_of(node: ast.expr, handles: set[str]) -> str | None:
    chain = _chain(node)
    return (
        next((handle for handle in (".".join(chain[:2]), chain[0]) if handle in handles), None)
        if chain
        else None
    )


def _chain(node: ast.expr) -> list[str]:
    """Return the names of an expression such as ``self._client.get_blob_client(path).upload_blob``."""
    if isinstance(node, ast.Attribute):
        inner = _chain(node.value)
        return [*inner, node.attr] if inner else []
    if isinstance(node, ast.Call):
        return _chain(node.func)
    return [node.id] if isinstance(node, ast.Name) else []


def _root_of(node: ast.expr | None) -> str | None:
    node = node.value if isinstance(node, ast.Subscript) else node
    chain = _chain(node) if node is not None else []
    return chain[0] if chain else None
