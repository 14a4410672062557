import os

import pytest

from localcloud.databricks.notebook.class_archive import archive_path, use_option


def install_java(home, text="#!/bin/sh\n"):
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    java.write_text(text)
    java.chmod(0o755)
    return java


def test_java_is_found_where_sparks_scripts_find_it(tmp_path):
    on_path = install_java(tmp_path / "one")
    environment = {"PATH": str(on_path.parent)}
    one = archive_path(tmp_path, environment)
    install_java(tmp_path / "two")
    other = archive_path(tmp_path, {**environment, "JAVA_HOME": str(tmp_path / "two")})
    assert one.parent == other.parent == tmp_path
    assert one != other


def test_without_java_there_is_no_archive(tmp_path):
    assert archive_path(tmp_path, {"PATH": str(tmp_path)}) is None
    assert archive_path(tmp_path, {"JAVA_HOME": str(tmp_path), "PATH": os.environ["PATH"]}) is None


@pytest.mark.parametrize("updated", ["bin/java", "lib/modules"])
def test_a_java_that_was_updated_in_its_place_has_another_archive(tmp_path, updated):
    home = tmp_path / "java"
    install_java(home)
    (home / "lib").mkdir()
    (home / "lib" / "modules").write_text("classes")
    environment = {"JAVA_HOME": str(home)}
    before = archive_path(tmp_path, environment)
    assert archive_path(tmp_path, environment) == before
    (home / updated).write_text("#!/bin/sh\n# newer\n")
    assert archive_path(tmp_path, environment) != before


def test_a_jvm_is_told_of_an_archive_that_is_there_only(tmp_path):
    folder = tmp_path / "with a space"
    folder.mkdir()
    install_java(tmp_path / "java")
    where = folder, {"JAVA_HOME": str(tmp_path / "java")}
    assert use_option(*where) == ""
    archive_path(*where).write_text("classes")
    assert use_option(*where) == f'-XX:SharedArchiveFile="{archive_path(*where)}"'
