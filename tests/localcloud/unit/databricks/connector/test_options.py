import pytest

from d2c.load_run.cosmos_options import pacing_options, read_options
from localcloud.databricks.connector.errors import OptionError
from localcloud.databricks.connector.options import parse_options
from localcloud.databricks.connector.sign_in import AccountKey, ServicePrincipal

ACCOUNT = {
    "spark.cosmos.accountEndpoint": "http://127.0.0.1:8081/",
    "spark.cosmos.accountKey": "a2V5",
    "spark.cosmos.database": "shop",
    "spark.cosmos.container": "orders",
}
SERVICE_PRINCIPAL = {
    "auth.type": "ServicePrincipal",
    "account.tenantId": "t",
    "auth.aad.clientId": "c",
    "auth.aad.clientSecret": "s",
}
THROUGHPUT_CONTROL = {
    "throughputControl.enabled": "true",
    "throughputControl.name": "load",
    "throughputControl.targetThroughput": "400",
}


def parse(**options):
    return parsed({name.replace("__", "."): value for name, value in options.items()})


def parsed(options):
    return parse_options({**ACCOUNT, **{f"spark.cosmos.{name}": value for name, value in options.items()}})


def test_what_is_left_out_has_the_connectors_defaults():
    options = parse()
    assert (options.strategy, options.bulk, options.most_retries) == ("ItemOverwrite", True, 10)
    assert (options.bulk_operations, options.bulk_bytes) == (100, 220_201)
    assert options.infer_schema
    assert options.bulk_pending_operations == 10_688
    assert not options.fresh


@pytest.mark.parametrize(
    ("strategy", "fresh"),
    [("Eventual", False), ("Session", False), ("LatestCommitted", True), ("GlobalStrong", True)],
)
def test_only_reads_of_what_is_committed_last_see_it_at_once(strategy, fresh):
    assert parse(read__consistencyStrategy=strategy).fresh is fresh
    assert not parse(read__forceEventualConsistency="false").fresh


def test_names_are_known_in_lower_case_as_spark_hands_them_over():
    given = {name.lower(): value for name, value in ACCOUNT.items()}
    options = parse_options({**given, "spark.cosmos.write.maxretrycount": "3"})
    assert (options.container, options.most_retries) == ("orders", 3)


def test_values_that_are_words_are_known_in_any_case():
    assert parse(write__strategy="itemappend", write__bulk__enabled="False").strategy == "ItemAppend"


def test_the_key_does_not_show_when_options_are_printed():
    assert "a2V5" not in repr(parse())


@pytest.mark.parametrize("name", ["accountEndpoint", "database", "container"])
def test_a_missing_option_is_named(name):
    given = {key: value for key, value in ACCOUNT.items() if key != f"spark.cosmos.{name}"}
    with pytest.raises(OptionError, match=f"spark.cosmos.{name}"):
        parse_options(given)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("spark.cosmos.write.stratgy", "spark.cosmos.write.strategy"),
        ("spark.cosmos.write.bulkEnabled", "spark.cosmos.write.bulk.enabled"),
        ("database", "spark.cosmos.database"),
    ],
)
def test_an_unknown_option_is_refused_with_a_suggestion(given, meant):
    with pytest.raises(OptionError, match=rf"{given} is not known. Did you mean {meant}\?"):
        parse_options({**ACCOUNT, given: "x"})


def test_an_unknown_option_like_no_other_is_refused_without_one():
    with pytest.raises(OptionError, match=r"qqq is not known\.$"):
        parse(qqq="1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accountEndpoint", "127.0.0.1:8081"),
        ("accountEndpoint", "ftp://host"),
        ("database", " "),
        ("write.bulk.enabled", "yes"),
        ("write.maxRetryCount", "-1"),
        ("write.maxRetryCount", "1.5"),
        ("write.maxRetryCount", "many"),
        ("write.bulk.maxBatchSize", "101"),
        ("write.bulk.maxBatchSize", "0"),
        ("write.bulk.targetedPayloadSizeInBytes", "0"),
        ("write.bulk.initialBatchSize", "0"),
        ("write.strategy", "ItemUpsert"),
        ("auth.type", "Password"),
        ("read.partitioning.strategy", "Best"),
        ("throughputControl.targetThroughputThreshold", "1.1"),
        ("throughputControl.priorityLevel", "Highest"),
    ],
)
def test_an_impossible_value_is_refused_and_the_option_named(name, value):
    with pytest.raises(OptionError, match=rf"The option spark\.cosmos\.{name} must be"):
        parsed({name: value})


@pytest.mark.parametrize("strategy", ["ItemPatch", "ItemPatchIfExists", "ItemBulkUpdate"])
def test_strategies_that_patch_are_refused_by_name(strategy):
    with pytest.raises(OptionError, match=f"The write strategy {strategy} is not supported"):
        parse(write__strategy=strategy)


def test_a_service_principal_and_a_master_key_sign_in():
    assert parsed(SERVICE_PRINCIPAL).sign_in == ServicePrincipal("t", "c", "s")
    assert parse().sign_in == AccountKey("a2V5")


@pytest.mark.parametrize(
    "options",
    [
        {"auth.type": "ManagedIdentity", "account.tenantId": "t"},
        {"auth.type": "AccessToken", "accountDataResolverServiceName": "com.x.Y"},
        {
            **{name: value for name, value in SERVICE_PRINCIPAL.items() if name != "auth.aad.clientSecret"},
            "auth.aad.clientCertPemBase64": "s",
        },
    ],
)
def test_other_ways_to_sign_in_are_refused(options):
    kind = options["auth.type"]
    with pytest.raises(OptionError, match=f"{kind}, but .* service principal's secret or a master key only"):
        parsed(options)


@pytest.mark.parametrize("name", ["account.tenantId", "auth.aad.clientId", "auth.aad.clientSecret"])
def test_a_service_principal_without_one_of_its_options_is_told_so(name):
    with pytest.raises(OptionError, match=f"missing: spark.cosmos.{name}"):
        parsed({key: value for key, value in SERVICE_PRINCIPAL.items() if key != name})


def test_a_master_key_is_needed_to_sign_in_with_one():
    given = {name: value for name, value in ACCOUNT.items() if not name.endswith("Key")}
    with pytest.raises(OptionError, match=r"missing: spark\.cosmos\.accountKey"):
        parse_options(given)


def test_throughput_control_is_refused_unless_it_is_whole_and_needs_no_container_of_its_own():
    with pytest.raises(OptionError, match=r"name is missing"):
        parsed({"throughputControl.enabled": "true"})
    with pytest.raises(OptionError, match=r"targetThroughputThreshold"):
        parsed({"throughputControl.enabled": "true", "throughputControl.name": "load"})
    with pytest.raises(OptionError, match=r"globalControl\.database and \.container are missing"):
        parsed(THROUGHPUT_CONTROL)
    whole = {**THROUGHPUT_CONTROL, "throughputControl.globalControl.useDedicatedContainer": "false"}
    assert parsed(whole).ru_per_second == 400
    for other in ("targetThroughputThreshold", "priorityLevel", "throughputBucket"):
        value = {"targetThroughputThreshold": "0.5", "priorityLevel": "Low"}.get(other, "1")
        with pytest.raises(OptionError, match=r"supports throughput control by .*targetThroughput only"):
            parsed({**whole, f"throughputControl.{other}": value})


def test_the_pace_of_a_verification_is_understood():
    assert parse_options({**ACCOUNT, **pacing_options(200), **read_options()}).ru_per_second == 200


def test_throughput_control_that_is_off_changes_nothing():
    assert parsed({**THROUGHPUT_CONTROL, "throughputControl.enabled": "false"}).ru_per_second is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("write.bulk.transactional", "true"), ("serialization.inclusionMode", "NonNull")],
)
def test_an_option_with_a_value_that_would_change_documents_is_refused(name, value):
    with pytest.raises(OptionError, match=rf"supports spark\.cosmos\.{name} with the value"):
        parsed({name: value})


def test_an_option_that_is_the_connectors_but_not_this_ones_is_refused_as_such():
    with pytest.raises(OptionError, match=r"write\.patch\.filter is not supported by the local cloud"):
        parsed({"write.patch.filter": "from c"})


def test_options_that_tune_the_connector_are_accepted():
    options = {"useGatewayMode": "true", "preferredRegionsList": "[West Europe]", "applicationName": "d2c"}
    assert parsed(options) == parse()
