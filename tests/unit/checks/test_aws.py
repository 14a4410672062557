from d2c.checks.aws import check_bucket, check_copy_sessions, check_identities
from d2c.clients.aws.s3 import Encryption
from d2c.plan.tables import Location
from tests.unit.app.test_aws_settings import ROLE

from .fakes import REFUSED, Answers, finding, states


def bucket(kms_key="", **changes):
    answers = {"region": "eu-west-1", "encryption": Encryption("AES256", ""), "try_listing": None}
    fake = Answers(**{**answers, **changes})
    return check_bucket(lambda: fake, "exports", "d2c", ["eu-west-1"], kms_key)


def test_who_the_app_is_is_told_in_each_place_and_one_refusal_hides_no_other():
    def caller(place):
        if place.region == "us-east-1":
            raise REFUSED
        return "arn:aws:sts::111122223333:assumed-role/d2c/app"

    found = check_identities([Location(None, "eu-west-1"), Location(None, "us-east-1")], caller)
    assert states(found) == {("eu-west-1", "identity"): "ok", ("us-east-1", "identity"): "failed"}
    assert "assumed-role/d2c" in found[0]["finding"]


def test_a_role_that_allows_no_session_as_long_as_a_copy_may_need_fails_and_hides_no_other():
    def take_on(place):
        if place.region == "us-east-1":
            raise REFUSED
        return ROLE

    found = check_copy_sessions([Location(None, "eu-west-1"), Location(None, "us-east-1")], take_on, 7200)
    assert states(found) == {("eu-west-1", "copy session"): "ok", ("us-east-1", "copy session"): "failed"}
    assert "7,200 seconds" in found[0]["finding"]


def test_a_bucket_as_it_should_be_is_ok_and_writing_is_left_untried_with_a_word():
    found = bucket()
    assert states(found) == {
        ("exports", "exists"): "ok",
        ("exports", "encryption"): "ok",
        ("exports", "can be read"): "ok",
        ("exports", "can be written"): "skipped",
    }
    assert "s3:PutObject" in finding(found, "can be written").next_step


def test_a_bucket_that_is_not_there_is_told_once():
    found = bucket(region=REFUSED)
    assert states(found) == {("exports", "exists"): "failed"}


def test_a_bucket_in_another_region_is_a_warning_that_names_both():
    told = finding(bucket(region="us-east-1"), "exists")
    assert told.state == "warning"
    assert "us-east-1" in told.finding
    assert "eu-west-1" in told.finding


def test_a_kms_key_is_a_warning_that_names_the_key_and_the_rights():
    told = finding(bucket(encryption=Encryption("aws:kms", "arn:aws:kms:eu-west-1:1:key/k")), "encryption")
    assert told.state == "warning"
    assert "key/k" in told.finding
    assert "kms:GenerateDataKey" in told.next_step
    assert "D2C_EXPORT_KMS_KEY" in told.next_step


def test_the_key_of_the_setting_is_told_whatever_the_bucket_has():
    told = finding(bucket("arn:aws:kms:eu-west-1:1:key/mine"), "encryption")
    assert "key/mine" in told.finding
    assert "D2C_EXPORT_KMS_KEY" not in told.next_step


def test_listing_that_is_refused_fails_and_the_rest_is_looked_at():
    found = states(bucket(try_listing=REFUSED, encryption=REFUSED))
    assert (found["exports", "can be read"], found["exports", "encryption"]) == ("failed", "skipped")
