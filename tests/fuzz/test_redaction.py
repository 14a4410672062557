"""Whatever text is logged or told, redacting it is quick and leaves no secret of the app."""

import json

from hypothesis import strategies as st

from d2c.redaction import MOST_CHARACTERS, without_secrets
from tests.fuzz.fuzzing import fuzzed, odd_texts, within_bounds

SECRET = "c2VjcmV0LW9mLXRoZS1zZXR0aW5ncw=="
# Each quotes a secret that the settings do not know; a text after it ends it.
CONTEXTS = (
    "https://lake/a?sig={}&",
    '{{"client_secret": "{}"}}',
    "{{'accessToken': '{}'}}",
    '{{\\"SecretAccessKey\\":\\"{}\\"}}',
    "AccountKey={};",
    "Authorization: Bearer {} ",
    "Bearer%20{} ",
    "x-api-key: {} ",
    "https://user:{}@host/",
    "<SecretAccessKey>{}</SecretAccessKey>",
    "password={} ",
    "Signature={}, ",
)
separators = st.text(st.sampled_from(" \n\t,;&"), min_size=1, max_size=3)
# Not a secret's name: a text that begins one would have this one read as its value.
words = st.lists(
    st.sampled_from(("Container", "x/y", "409", "of", "the", "\n", "(a)", "\u00e9", "eyJ")), max_size=9
)
secrets = st.text(st.sampled_from("abcXYZ0189+-_."), min_size=24, max_size=60)


@fuzzed(st.lists(odd_texts, max_size=10), st.integers(1, 2000))
def test_a_text_is_redacted_in_time_that_grows_with_it(parts, times):
    with within_bounds():
        told = without_secrets((SECRET.join(parts) * times)[:1_000_000], (SECRET,))
    assert SECRET not in told
    assert len(told) <= 2 * MOST_CHARACTERS


@fuzzed(words, separators, st.sampled_from(CONTEXTS), secrets, words)
def test_a_secret_is_seen_by_its_context_whatever_is_around_it(before, between, context, secret, after):
    told = without_secrets(
        " ".join(before) + between + context.format(secret) + between + " ".join(after), ()
    )
    assert secret not in told
    assert "***" in told
    assert without_secrets(told, ()) == told
    assert all(word in told for word in (*before, *after) if word.isalpha())


@fuzzed(
    st.dictionaries(st.sampled_from(("client_secret", "password", "apiKey")), st.text(min_size=1), min_size=1)
)
def test_no_value_of_a_secrets_name_is_left_in_json(pairs):
    left = json.loads(without_secrets(json.dumps(pairs), ()))
    assert set(left.values()) == {"***"}
