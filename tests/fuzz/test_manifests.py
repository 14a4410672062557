"""Whatever others write in the place of an export's manifests, reading them is quick, and refused in words."""

import json

from hypothesis import strategies as st

from d2c.errors import RefusedError
from d2c.export_format import ExportFormatError, ExportManifest, md5_base64, read_export_manifest
from d2c.export_format.manifest import MANIFEST_FILES, parse_file_list, parse_summary
from d2c.plan.model import parse_plan
from d2c.state.export_matching import match
from d2c.state.standing_plans import StandingPlan
from tests.fuzz.fuzzing import fuzzed, odd_texts, spoilt, torn, within_bounds
from tests.unit.arrived import EXPORT_ID, FOLDER, REGION, export_files, table_arn

FILES = export_files()
ARNS = {"export_arn": f"{table_arn()}/export/{EXPORT_ID}", "table_arn": table_arn()}
LONGEST_MESSAGE = 1_500
PLAN = {
    "name": "theirs",
    "database": "shop",
    "region": REGION,
    "start": "when_exports_arrive",
    "tables": [{"table": "Mu*"}],
}
STANDING = [StandingPlan("plans/theirs.json", parse_plan(json.dumps(PLAN).encode()))]
summaries = spoilt(st.just(json.loads(FILES["manifest-summary.json"])))
lines = st.lists(
    st.one_of(
        st.sampled_from([json.loads(line) for line in FILES["manifest-files.json"].splitlines()]).flatmap(
            lambda line: spoilt(st.just(line))
        ),
        odd_texts,
    ),
    max_size=5,
)


def refused_in_words(read, *arguments, **named):
    """Return what was read, or None if it was refused with a message that somebody reads."""
    with within_bounds():
        try:
            return read(*arguments, **named)
        except (ExportFormatError, RefusedError) as error:
            told = str(error)
    assert len(told.encode()) <= LONGEST_MESSAGE, told
    return None


def as_json(value):
    return json.dumps(value).encode()


@fuzzed(st.one_of(summaries.map(as_json), torn(st.just(FILES["manifest-summary.json"])), st.binary()))
def test_a_summary_is_that_of_a_full_export_or_refused(content):
    summary = refused_in_words(parse_summary, content)
    if summary:
        json.dumps(summary.export_arn + summary.s3_prefix).encode()
        refused_in_words(match, summary, FOLDER, STANDING)


@fuzzed(
    st.one_of(
        lines.map(lambda entries: b"\n".join(map(as_json, entries))),
        torn(st.just(FILES["manifest-files.json"])),
        st.binary(),
    )
)
def test_a_list_of_data_files_has_plain_names_or_is_refused(content):
    for file in refused_in_words(parse_file_list, content, EXPORT_ID) or ():
        assert file.name not in (".", "..")
        assert not set(file.name) & set("/\\\x00\n?*[]{}")
        assert file.item_count >= 0


@fuzzed(st.sampled_from(MANIFEST_FILES), torn(st.just(b"")), summaries, lines)
def test_a_manifest_is_whole_or_refused(name, piece, summary, entries):
    contents = {**FILES, "manifest-summary.json": as_json(summary)}
    contents["manifest-files.json"] = b"\n".join(map(as_json, entries))
    for checked, checksum in zip(MANIFEST_FILES[::3], MANIFEST_FILES[1:3], strict=True):
        contents[checksum] = md5_base64(contents[checked]).encode()
    contents[name] += piece
    manifest = refused_in_words(read_export_manifest, contents.__getitem__, **ARNS)
    assert manifest is None or isinstance(manifest, ExportManifest)
    if manifest:
        assert sum(file.item_count for file in manifest.files) == manifest.summary.item_count
