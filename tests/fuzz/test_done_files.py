"""Whatever a file on data files that are done holds, it is read as a load run wrote it, or its files are done again."""

import json

from hypothesis import strategies as st

from d2c.load_run.accounting import is_sound, totals
from d2c.load_run.census.counts import merged, summarise
from d2c.load_run.resuming.done_files import group_text, parse_group
from tests.unit.load_run.resuming.test_done_files import GROUP, LISTED, REQUEST

from .fuzzing import fuzzed, odd_values, spoilt, torn, within_bounds

SOUND = st.just(json.loads(group_text(REQUEST, GROUP)))


def written(value):
    return json.dumps(value).encode()


@fuzzed(torn(SOUND.map(written)) | (spoilt(SOUND) | odd_values).map(written))
def test_what_counts_as_done_is_whole_and_adds_up(content):
    text = content.decode(errors="replace")
    with within_bounds():
        found = parse_group(GROUP.name, text, REQUEST, LISTED)
    if found is not None:
        assert all(is_sound(LISTED[tally.file], tally) for tally in found.tallies)
        assert totals(found.tallies)["lines"] == sum(LISTED[name].item_count for name in found.files)
        if found.census is not None:
            summarise(merged([GROUP.census, found.census]))
        assert parse_group(GROUP.name, group_text(REQUEST, found), REQUEST, LISTED) == found
