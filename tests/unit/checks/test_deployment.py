from d2c.checks.surroundings import check_deployment
from d2c.deploy.parts import Difference, Part
from d2c.errors import D2CError


class Thing(Part):
    def __init__(self, thing, *differences):
        self.thing, self.found = thing, differences

    def differences(self):
        if isinstance(self.found[0] if self.found else None, Exception):
            raise self.found[0]
        return list(self.found)

    def publish(self):
        raise AssertionError("a check changes nothing")


def states(*parts):
    return {(found["thing"], found["state"]) for found in check_deployment(lambda: parts)}


def test_each_part_is_told_and_one_that_differs_is_a_warning_because_it_may_be_meant():
    differing = Thing("pipeline copy_export", Difference("pipeline copy_export: retry", "3", "2"))
    assert states(Thing("wheel w"), differing) == {
        ("wheel w", "ok"),
        ("pipeline copy_export: retry", "warning"),
    }


def test_a_part_that_cannot_be_looked_at_is_skipped_and_hides_no_other():
    refused = Thing("notebook n", D2CError("Notebook n: refused.", "Grant the right."))
    assert states(refused, Thing("wheel w")) == {("notebook n", "skipped"), ("wheel w", "ok")}


def test_an_app_without_the_definitions_skips_the_comparison():
    def no_release():
        raise D2CError("adf/ is not there.", "Clone the project.")

    (found,) = check_deployment(no_release)
    assert (found["state"], found["thing"]) == ("skipped", "deployment")
