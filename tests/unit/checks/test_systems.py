from datetime import UTC, datetime, timedelta

import pytest

from d2c.app.load_run_settings import CONNECTOR
from d2c.checks.data_factory import check_data_factory
from d2c.checks.databricks import check_databricks
from d2c.checks.lake import check_lake, check_name
from d2c.checks.surroundings import check_clocks, check_schedule, check_webhook
from d2c.clients.databricks.reading import ExistingCluster
from d2c.plan.model import Plan

from .fakes import REFUSED, Answers, assert_all_ok, finding, states

SENT = ("runKey", "bucket")
PARAMETERS = {"lakeUrl": "https://lake.dfs.core.windows.net/", "keyVaultUrl": "https://v"}
CLUSTER = {
    "spark_version": "17.3.x-scala2.13",
    "data_security_mode": "SINGLE_USER",
    "node_type_id": "Standard_D4ds_v5",
    "num_workers": 2,
}
WHEEL = "/Volumes/main/d2c/d2c.whl"
VOLUME = "/Volumes/main/d2c/exports"


class TestLake:
    def lake(self, checked_plan="checks/x/plan.json", **changes):
        answers = {"page": ([], None), "exists": True, "has_hierarchical_namespace": True}
        return check_lake(lambda: Answers(**{**answers, **changes}), "lake", checked_plan)

    def test_a_lake_that_can_be_read_and_written_passes(self):
        assert_all_ok(self.lake(), "can be read", "can be written", "hierarchical namespace")

    def test_what_the_check_could_not_write_tells_that_the_lake_cannot_be_written(self):
        assert finding(self.lake(checked_plan=None), "can be written").state == "failed"

    @pytest.mark.parametrize(
        ("namespace", "state"), [(False, "failed"), (None, "skipped"), (REFUSED, "skipped")]
    )
    def test_an_account_without_hierarchical_namespace_is_no_lake(self, namespace, state):
        assert (
            finding(self.lake(has_hierarchical_namespace=namespace), "hierarchical namespace").state == state
        )

    def test_a_lake_out_of_reach_is_told_once(self):
        assert states(self.lake(page=REFUSED)) == {("lake", "can be read"): "failed"}

    @pytest.mark.parametrize(
        ("accepted", "state"),
        [
            (None, "ok"),
            ({"digest": "same", "accepted_at": "2026-06-01T12:00:00"}, "warning"),
            ({"digest": "other", "accepted_at": "2026-06-01T12:00:00"}, "failed"),
        ],
    )
    def test_a_name_that_another_plan_has_fails(self, accepted, state):
        assert finding(check_name(lambda path: accepted, "shop", "same"), "plan's name").state == state


class TestDataFactory:
    def factory(self, **changes):
        answers = {
            "global_parameters": PARAMETERS,
            "find_pipeline_parameters": set(SENT),
            "has_linked_service": True,
            "active_runs": {},
            "check_progress_access": None,
        }
        fake = Answers(**{**answers, **changes})
        return check_data_factory(lambda: fake, "factory", "copy_export", SENT, ["lake"], "lake")

    def test_a_factory_with_this_versions_definitions_passes(self):
        assert_all_ok(
            self.factory(),
            "factory",
            "global parameters",
            "linked service",
            "pipeline",
            "progress can be seen",
            "runs can be seen",
        )

    def test_a_pipeline_that_is_not_there_fails(self):
        assert finding(self.factory(find_pipeline_parameters=None), "pipeline").state == "failed"

    def test_a_pipeline_of_another_version_fails_with_the_parameters_that_differ(self):
        told = finding(self.factory(find_pipeline_parameters={"bucket", "older"}), "pipeline")
        assert told.state == "failed"
        assert "runKey" in told.finding
        assert "older" in told.finding

    def test_a_linked_service_that_is_not_there_fails(self):
        assert finding(self.factory(has_linked_service=False), "linked service").state == "failed"

    @pytest.mark.parametrize(
        "parameters",
        [{}, {**PARAMETERS, "keyVaultUrl": ""}, {"lakeUrl": "https://other.dfs.core.windows.net"}],
    )
    def test_global_parameters_that_are_missing_or_lead_elsewhere_fail(self, parameters):
        assert finding(self.factory(global_parameters=parameters), "global parameters").state == "failed"

    def test_a_factory_that_refuses_one_call_is_looked_at_for_the_rest(self):
        found = states(self.factory(find_pipeline_parameters=REFUSED))
        assert found["copy_export", "pipeline"] == "failed"
        assert found["copy_export", "runs can be seen"] == "ok"

    def test_a_role_without_the_right_to_poll_copies_is_found_before_one_is_started(self):
        found = states(self.factory(check_progress_access=REFUSED))
        assert found["copy_export", "progress can be seen"] == "failed"


class TestDatabricks:
    def workspace(self, cluster=CLUSTER, connector=CONNECTOR, volume="", **changes):
        answers = {
            "user_name": "app@example.com",
            "kind_of_object": "NOTEBOOK",
            "has_file": True,
            "node_types": {"Standard_D4ds_v5"},
            "has_policy": True,
            "has_pool": True,
            "place_of_volume": "abfss://lake@account.dfs.core.windows.net/exports",
            "secret_names": {"tenant-id"},
            "find_cluster": ExistingCluster("RUNNING", CLUSTER, 8),
        }
        fake = Answers(**{**answers, **changes})
        return check_databricks(
            lambda: fake,
            host="https://adb",
            notebook="/Shared/load",
            wheel=WHEEL,
            cluster=cluster,
            connector=connector,
            scope="d2c",
            secrets=["tenant-id"],
            volume=volume,
            exports="abfss://lake@account.dfs.core.windows.net/exports/",
        )

    def test_a_workspace_with_all_that_a_load_run_needs_passes(self):
        findings, facts = self.workspace({**CLUSTER, "policy_id": "p", "instance_pool_id": "i"})
        assert_all_ok(
            findings,
            "access mode",
            "data files",
            "node type",
            "notebook",
            "policy",
            "pool",
            "runtime and connector",
            "secrets",
            "sign-in",
            "wheel",
        )
        assert facts["cluster"]["num_workers"] == 2

    def test_a_connector_that_may_hang_for_ever_is_a_warning(self):
        old = "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13:4.46.0"
        told = finding(self.workspace(connector=old)[0], "connector")
        assert told.state == "warning"
        assert "D2C_COSMOS_CONNECTOR" in told.next_step

    @pytest.mark.parametrize(
        ("changes", "check"),
        [
            ({"kind_of_object": None}, "notebook"),
            ({"kind_of_object": "FILE"}, "notebook"),
            ({"has_file": False}, "wheel"),
            ({"node_types": set()}, "node type"),
            ({"secret_names": None}, "secrets"),
            ({"secret_names": set()}, "secrets"),
        ],
    )
    def test_what_is_not_there_fails_with_its_name(self, changes, check):
        told = finding(self.workspace(**changes)[0], check)
        assert told.state == "failed"
        assert told.next_step

    @pytest.mark.parametrize(
        ("field", "look", "check"),
        [("policy_id", "has_policy", "policy"), ("instance_pool_id", "has_pool", "pool")],
    )
    def test_a_policy_or_pool_that_is_not_there_fails(self, field, look, check):
        findings, _ = self.workspace({**CLUSTER, field: "gone"}, **{look: False})
        assert finding(findings, check).state == "failed"

    def test_an_existing_cluster_is_looked_at_and_tells_the_estimate_its_size(self):
        findings, facts = self.workspace({"existing_cluster_id": "c-1"})
        assert_all_ok(
            findings,
            "access mode",
            "cluster",
            "data files",
            "notebook",
            "runtime and connector",
            "secrets",
            "sign-in",
            "wheel",
        )
        assert facts["cluster"]["num_workers"] == 8

    @pytest.mark.parametrize("found", [None, ExistingCluster("ERROR", CLUSTER, 8)])
    def test_a_cluster_that_is_gone_or_broken_fails(self, found):
        findings, _ = self.workspace({"existing_cluster_id": "c-1"}, find_cluster=found)
        assert finding(findings, "cluster").state == "failed"

    @pytest.mark.parametrize(
        ("spark_version", "state"),
        [
            ("17.3.x-scala2.13", "ok"),
            ("17.3.x-photon-scala2.13", "ok"),
            ("16.4.x-scala2.12", "failed"),
            ("16.4.x-scala2.13", "failed"),
            ("99.9.x-scala2.13", "warning"),
            ("", "warning"),
        ],
    )
    def test_a_runtime_whose_spark_or_scala_is_not_the_connectors_fails(self, spark_version, state):
        findings, _ = self.workspace({**CLUSTER, "spark_version": spark_version})
        assert finding(findings, "runtime and connector").state == state

    @pytest.mark.parametrize(
        ("mode", "state"),
        [
            ("SINGLE_USER", "ok"),
            ("DATA_SECURITY_MODE_DEDICATED", "ok"),
            ("USER_ISOLATION", "failed"),
            ("NONE", "failed"),
        ],
    )
    def test_an_access_mode_that_stops_the_connector_or_hides_the_volume_fails(self, mode, state):
        findings, _ = self.workspace({**CLUSTER, "data_security_mode": mode})
        assert finding(findings, "access mode").state == state

    def test_the_limit_of_a_data_file_is_told_unless_files_are_streamed_from_a_volume(self):
        whole = finding(self.workspace()[0], "data files")
        assert (whole.state, "more than 1,000,000,000 bytes fails" in whole.finding) == ("ok", True)
        streamed = finding(self.workspace(volume=VOLUME)[0], "data files")
        assert (streamed.state, "whatever their size" in streamed.finding) == ("ok", True)

    @pytest.mark.parametrize(
        ("cluster", "changes", "cause"),
        [
            (CLUSTER, {"place_of_volume": None}, "does not exist"),
            (
                CLUSTER,
                {"place_of_volume": "abfss://lake@account.dfs.core.windows.net/"},
                "It shows abfss://lake@",
            ),
            (CLUSTER, {"place_of_volume": REFUSED}, REFUSED.detail),
            ({**CLUSTER, "data_security_mode": "NONE"}, {}, "has no Unity Catalog"),
            ({"spark_version": "17.3.x-scala2.13"}, {}, "has no Unity Catalog"),
        ],
    )
    def test_a_volume_that_the_cluster_cannot_stream_exports_from_fails(self, cluster, changes, cause):
        told = finding(self.workspace(cluster, volume=VOLUME, **changes)[0], "data files")
        assert (told.state, cause in told.finding) == ("failed", True)
        assert told.next_step

    def test_an_existing_cluster_that_is_gone_is_no_fault_of_the_volume(self):
        findings, _ = self.workspace({"existing_cluster_id": "c-1"}, volume=VOLUME, find_cluster=None)
        assert finding(findings, "data files").state == "ok"

    def test_a_workspace_that_does_not_let_the_app_in_is_told_once(self):
        assert states(self.workspace(user_name=REFUSED)[0]) == {("https://adb", "sign-in"): "failed"}


class TestSurroundings:
    @pytest.mark.parametrize(
        ("seconds", "state"), [(1, "ok"), (-30, "ok"), (61, "warning"), (-120, "warning"), (301, "failed")]
    )
    def test_a_clock_that_is_off_by_minutes_is_told(self, seconds, state):
        found = check_clocks({"AWS": lambda: "https://aws"}, lambda url: timedelta(seconds=seconds))
        assert states(found) == {("AWS", "clock"): state}

    def test_a_service_that_does_not_answer_hides_no_other_clock(self):
        def skew(url):
            if url == "https://away":
                raise REFUSED
            return timedelta()

        found = check_clocks({"Lake": lambda: "https://away", "AWS": lambda: "https://aws"}, skew)
        assert states(found) == {("Lake", "clock"): "failed", ("AWS", "clock"): "ok"}

    def test_a_webhook_is_told_by_its_host_only(self):
        (found,) = check_webhook("https://hooks.example.com/secret-path")
        assert (found["thing"], found["state"]) == ("hooks.example.com", "ok")
        assert "secret-path" not in str(found)
        assert check_webhook("")[0]["state"] == "skipped"

    @pytest.mark.parametrize(
        ("times", "state", "told"),
        [
            ({}, "ok", "immediately"),
            ({"start_at": "2026-06-02T22:00:00Z"}, "ok", "2026-06-02T22:00"),
            ({"start_at": "2026-05-31T22:00:00Z"}, "warning", "has passed"),
            ({"between": ["22:00", "06:00"], "time_zone": "UTC"}, "ok", "2026-06-01T22:00"),
        ],
    )
    def test_when_stages_would_begin_is_told_and_a_start_in_the_past_is_a_warning(self, times, state, told):
        asked = {
            "name": "shop",
            "database": "d",
            "region": "eu-west-1",
            "tables": [{"table": "Music"}],
            **times,
        }
        (found,) = check_schedule(Plan.model_validate(asked), datetime(2026, 6, 1, 12, tzinfo=UTC))
        assert found["state"] == state
        assert told in found["finding"]
