import pytest

from localcloud.lake.access.conditions import BLOBS, Asked, ConditionError, parse

READ = f"ActionMatches{{'{BLOBS}/read'}}"
LIST = "SubOperationMatches{'Blob.List'}"
BELOW_A = f"@Resource[{BLOBS}:path] StringStartsWith 'a/'"
LIKE_A = f"@Resource[{BLOBS}:path] StringLike 'a/*/?.json'"
LISTS_A = f"@Request[{BLOBS}:prefix] StringStartsWith 'a/'"


def holds(text, action="read", **given):
    return parse(text)(Asked(f"{BLOBS}/{action}", **given))


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        (READ, {}, True),
        (READ.lower().replace("actionmatches", "ActionMatches"), {}, True),
        (READ, {"action": "write"}, False),
        (f"!({READ})", {}, False),
        (f"{READ} AND NOT {LIST}", {"suboperation": "Blob.List"}, False),
        (f"{READ} AND NOT {LIST}", {}, True),
        (f"({READ} AND {LIST}) OR ({BELOW_A})", {"path": "a/b"}, True),
        (BELOW_A, {"path": "A/b"}, False),
        (BELOW_A, {"path": "ab"}, False),
        (BELOW_A, {}, False),
        (f"!({BELOW_A})", {}, True),
        (LIKE_A, {"path": "a/b/c/d.json"}, True),
        (LIKE_A, {"path": "a/b/dd.json/x"}, False),
        (LISTS_A, {"prefix": "a/b"}, True),
        (LISTS_A, {"prefix": "a"}, False),
        (LISTS_A, {"path": "a/b"}, False),
    ],
)
def test_a_condition_holds_or_does_not(text, given, expected):
    assert holds(text, **given) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        READ + ")",
        f"{READ} {READ}",
        f"{READ} AND",
        f"{READ} AND {LIST} OR {READ}",
        f"@Resource[{BLOBS}:path] StringEquals 'a'",
        f"@Resource[{BLOBS}:path] StringLike 'a\\\\*'",
        f"@Principal[{BLOBS}:path] StringLike 'a'",
        f"@Resource[{BLOBS}/tags:Project<$key_case_sensitive$>] StringLike 'a'",
        f"Exists {READ}",
        "ActionMatches{unquoted}",
        "a = b",
    ],
)
def test_a_condition_of_another_form_is_refused(text):
    with pytest.raises(ConditionError):
        parse(text)
