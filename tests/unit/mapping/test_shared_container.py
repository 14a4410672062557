from d2c.mapping import KeySchema, faults_of_sharing, parse_rules


def rules(constants, partition_key, **more):
    return parse_rules({"set": constants, "partition_key": partition_key, **more}, KeySchema("pk", "sk"))


def test_tables_with_different_constants_can_share_a_container():
    tables = {name: rules({"type": name}, ["type", "pk"]) for name in ("order", "customer", "item")}
    assert faults_of_sharing(tables) == []


def test_tables_without_a_constant_in_the_partition_key_cannot():
    tables = {"A": parse_rules({}, KeySchema("pk")), "B": parse_rules({}, KeySchema("pk"))}
    (fault,) = faults_of_sharing(tables)
    assert "`A` and `B`" in fault
    assert fault.startswith("set:")


def test_a_constant_outside_the_partition_key_does_not_count():
    tables = {name: rules({"type": name}, ["pk"]) for name in ("A", "B")}
    assert len(faults_of_sharing(tables)) == 1


def test_a_constant_does_not_distinguish_from_an_attribute():
    tables = {"A": rules({"type": "a"}, ["type", "pk"]), "B": rules({}, ["type", "pk"])}
    assert len(faults_of_sharing(tables)) == 1
    assert len(faults_of_sharing(dict(reversed(tables.items())))) == 1


def test_constants_that_cosmos_db_takes_for_one_value_do_not_differ():
    assert (
        len(faults_of_sharing({"A": rules({"t": 1}, ["t", "pk"]), "B": rules({"t": 1.0}, ["t", "pk"])})) == 1
    )
    assert faults_of_sharing({"A": rules({"t": 1}, ["t", "pk"]), "B": rules({"t": "1"}, ["t", "pk"])}) == []
    assert faults_of_sharing({"A": rules({"t": 1}, ["t", "pk"]), "B": rules({"t": True}, ["t", "pk"])}) == []


def test_every_pair_that_could_collide_is_reported():
    tables = {name: rules({"t": value}, ["t", "pk"]) for name, value in zip("ABC", "xxx", strict=True)}
    assert len(faults_of_sharing(tables)) == 3


def test_the_partition_key_paths_must_agree():
    tables = {"A": rules({"t": "a"}, ["t", "pk"]), "B": rules({"t": "b"}, ["t", "sk"])}
    (fault,) = faults_of_sharing(tables)
    assert "/t, /pk" in fault
    renamed = rules({"t": "b"}, ["t", "sk"], rename={"sk": "pk", "pk": "other"})
    assert faults_of_sharing({"A": tables["A"], "B": renamed}) == []


def test_ttl_must_mean_the_same_in_both():
    given = {"set": {"t": "a"}, "partition_key": ["t", "pk"]}
    with_ttl = parse_rules(given, KeySchema("pk"), ttl_attribute="until")
    (fault,) = faults_of_sharing({"A": with_ttl, "B": rules({"t": "b"}, ["t", "pk"])})
    assert fault.startswith("ttl:")
