"""Paths as Spark's readers take them."""

import re

# https://hadoop.apache.org/docs/r3.4.1/api/org/apache/hadoop/fs/FileSystem.html#globStatus(org.apache.hadoop.fs.Path)
_PATTERN_CHARACTERS = re.compile(r"[\\{}\[\]*?]")


def literal(path: str) -> str:
    """Return a path so that a reader takes it as a name; readers take one with brackets or stars as a pattern.

    With a pattern, Hadoop also lists the folder's neighbours, and fails at one with a colon in its name.
    """
    return _PATTERN_CHARACTERS.sub(r"\\\g<0>", path)
