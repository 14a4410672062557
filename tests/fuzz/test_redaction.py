"""Whatever text is logged or told, redacting it is quick and leaves no secret of the app."""

from hypothesis import strategies as st

from d2c.app.redaction import without_secrets
from tests.fuzz.fuzzing import fuzzed, odd_texts, within_bounds

SECRET = "c2VjcmV0LW9mLXRoZS1zZXR0aW5ncw=="


@fuzzed(st.lists(odd_texts, max_size=10), st.integers(1, 2000))
def test_a_text_is_redacted_in_time_that_grows_with_it(parts, times):
    with within_bounds():
        told = without_secrets((SECRET.join(parts) * times)[:1_000_000], (SECRET,))
    assert SECRET not in told
