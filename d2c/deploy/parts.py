"""The parts of a deployment: each can be compared with what this version expects, and be published."""

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from d2c.app.settings import Settings
from d2c.clients.azure.factory_definitions import FactoryDefinitions
from d2c.clients.databricks.files import DatabricksFiles
from d2c.deploy.comparing import same_notebook, unlike, with_owners_choices
from d2c.deploy.definitions import Definition, with_runtime
from d2c.deploy.kernel_wheel import KernelWheel, kernel_path, misfit
from d2c.deploy.parameters import PARAMETERS, UNUSED
from d2c.deploy.release import Release
from d2c.deploy.wheel import Wheel, digest_of_wheel, wheel_path

NOTHING = "nothing"


@dataclass(frozen=True)
class Difference:
    """A difference between the deployment and this version, in words."""

    thing: str
    found: str
    expected: str


@dataclass(frozen=True)
class Target:
    """The target of a deployment.

    Args:
        settings: the app's.
        files: the Databricks workspace's.
        factory: the data factory's definitions.
        parameters: values of its global parameters; an empty one is not changed.
    """

    settings: Settings
    files: DatabricksFiles
    factory: FactoryDefinitions
    parameters: Mapping[str, str]


class Part(ABC):
    """One deployed part; ``thing`` is its name in messages.

    ``is_kept_as_written`` is false where the service may return an accepted part in a form of its own.
    """

    thing: str
    is_kept_as_written = True

    @abstractmethod
    def differences(self) -> list[Difference]:
        """Return the differences from the expected state; empty if there are none."""

    @abstractmethod
    def publish(self) -> None:
        """Bring it to the expected state."""


class WheelPart(Part):
    """The wheel in the workspace."""

    def __init__(self, files: DatabricksFiles, path: str, wheel: Wheel) -> None:
        self.thing = f"wheel {path}"
        self._files, self._path, self._wheel = files, path, wheel

    def differences(self) -> list[Difference]:
        content = self._files.read_file(self._path)
        found = NOTHING if content is None else _code_in(content)
        expected = _code(self._wheel.digest)
        return [] if found == expected else [Difference(self.thing, found, expected)]

    def publish(self) -> None:
        self._files.write_file(self._path, self._wheel.content)


class KernelPart(Part):
    """The native kernel's wheel in the workspace."""

    def __init__(self, files: DatabricksFiles, path: str, kernel: KernelWheel) -> None:
        self.thing = f"native kernel {path}"
        self._files, self._path, self._kernel = files, path, kernel

    def differences(self) -> list[Difference]:
        content = self._files.read_file(self._path)
        if content == self._kernel.content:
            return []
        found = NOTHING if content is None else "a different wheel"
        return [Difference(self.thing, found, "this version's wheel")]

    def publish(self) -> None:
        self._files.write_file(self._path, self._kernel.content)


def _code_in(content: bytes) -> str:
    try:
        return _code(digest_of_wheel(content))
    except zipfile.BadZipFile:
        return "a file that is not a wheel"


def _code(digest: str) -> str:
    return f"code {digest[:16]}"


class NotebookPart(Part):
    """The notebook in the workspace."""

    def __init__(self, files: DatabricksFiles, path: str, source: bytes) -> None:
        self.thing = f"notebook {path}"
        self._files, self._path, self._source = files, path, source

    def differences(self) -> list[Difference]:
        found = self._files.read_notebook(self._path)
        if found is not None and same_notebook(found, self._source):
            return []
        return [
            Difference(
                self.thing, NOTHING if found is None else "a different source", "this version's source"
            )
        ]

    def publish(self) -> None:
        self._files.write_notebook(self._path, self._source)


class ParametersPart(Part):
    """The data factory's global parameters."""

    def __init__(
        self, factory: FactoryDefinitions, names: tuple[str, ...], values: Mapping[str, str]
    ) -> None:
        self.thing = "global parameters of the data factory"
        self._factory, self._names, self._values = factory, names, values

    def differences(self) -> list[Difference]:
        found = self._found(self._factory.get_factory())
        wanted = self._wanted(found)
        return [
            Difference(
                f"global parameter {name} of the data factory",
                found[name] or NOTHING,
                wanted[name] or f"a value ({PARAMETERS[name].setting})",
            )
            for name in self._names
            if not found[name] or found[name] != wanted[name]
        ]

    def publish(self) -> None:
        factory = self._factory.get_factory()
        found = self._found(factory)
        changed = {name: value for name, value in self._wanted(found).items() if value != found[name]}
        self._factory.set_global_parameters(factory, changed)

    def _found(self, factory: Mapping[str, Any]) -> dict[str, str]:
        there = factory.get("properties", {}).get("globalParameters", {})
        return {name: str(there.get(name, {}).get("value") or "") for name in self._names}

    def _wanted(self, found: Mapping[str, str]) -> dict[str, str]:
        """Return the target value of each parameter: from the environment, otherwise the deployed one."""
        given = {name: self._values.get(name) or "" for name in self._names}
        return {
            name: (found[name] or value) if value in ("", UNUSED) else value for name, value in given.items()
        }


class DefinitionPart(Part):
    """A linked service, a dataset or a pipeline."""

    is_kept_as_written = False

    def __init__(self, factory: FactoryDefinitions, definition: Definition) -> None:
        self.thing = f"{definition.kind} {definition.name}"
        self._factory, self._definition = factory, definition

    def differences(self) -> list[Difference]:
        found = self._factory.find(self._definition.kind, self._definition.name)
        if found is None:
            return [Difference(self.thing, NOTHING, "this version's definition")]
        return [
            Difference(f"{self.thing}: {path}", there, expected)
            for path, there, expected in unlike(self._wanted(found), found)
        ]

    def publish(self) -> None:
        kind, name = self._definition.kind, self._definition.name
        self._factory.put(kind, name, self._wanted(self._factory.find(kind, name)))

    def _wanted(self, found: Any) -> Any:
        return with_owners_choices(self._definition.properties, found)


def parts_of_workspace(target: Target, release: Release) -> Iterator[Part]:
    """Return the parts in the Databricks workspace: the wheels first, since the notebook needs them."""
    yield WheelPart(target.files, wheel_path(target.settings.wheel_path), release.wheel)
    kernel = release.kernel
    if kernel and not misfit(kernel, target.settings.wheel_path, target.settings.cluster):
        yield KernelPart(target.files, kernel_path(kernel, target.settings.wheel_path), kernel)
    yield NotebookPart(target.files, target.settings.notebook_path, release.notebook)


def parts_of_factory(
    factory: FactoryDefinitions, release: Release, parameters: Mapping[str, str], runtime: str = ""
) -> Iterator[Part]:
    """Return the parts in the data factory, each after those that it refers to.

    Args:
        factory: the data factory's definitions.
        release: the version.
        parameters: values of its global parameters; an empty one is not changed.
        runtime: the integration runtime of copies; the owner of the factory decides if it is empty.
    """
    yield ParametersPart(factory, release.factory.global_parameters, parameters)
    for definition in release.factory.definitions:
        yield DefinitionPart(factory, with_runtime(definition, runtime))


def all_parts(target: Target, release: Release) -> list[Part]:
    """Return all parts in the order of publishing."""
    return [
        *parts_of_workspace(target, release),
        *parts_of_factory(
            target.factory, release, target.parameters, target.settings.copies.integration_runtime
        ),
    ]
