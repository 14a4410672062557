import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.models.CosmosContainerProperties;
import com.azure.cosmos.models.CosmosItemRequestOptions;
import com.azure.cosmos.models.CosmosQueryRequestOptions;
import com.azure.cosmos.models.PartitionKey;
import com.azure.cosmos.models.PartitionKeyBuilder;
import com.azure.cosmos.models.PartitionKeyDefinition;
import com.azure.cosmos.models.PartitionKeyDefinitionVersion;
import com.azure.cosmos.models.UniqueKey;
import com.azure.cosmos.models.UniqueKeyPolicy;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Partition keys of every kind, and unique keys. */
final class KeyTrials {
    static final List<Trial> ALL = List.of(
        new Trial("a null key is not an absent one", KeyTrials::nullAndNone),
        new Trial("numbers and booleans as keys", KeyTrials::scalars),
        new Trial("another key than the document's is 400/1001", KeyTrials::mismatch),
        new Trial("a hierarchical key, whole and by its prefix", KeyTrials::hierarchical),
        new Trial("a hierarchical key with a null level", KeyTrials::hierarchicalNull),
        new Trial("a container of version V1", account -> version(account, PartitionKeyDefinitionVersion.V1)),
        new Trial("a container of version V2", account -> version(account, PartitionKeyDefinitionVersion.V2)),
        new Trial("a container whose key names no version", account -> version(account, null)),
        new Trial("a repeated unique key is 409", KeyTrials::uniqueKeys),
        new Trial("a unique key cannot be changed", KeyTrials::uniqueKeysStay));

    private static void nullAndNone(Account account) {
        CosmosContainer container = account.container();
        container.createItem(Account.json("{'id':'a','pk':null}"));
        container.createItem(Account.json("{'id':'a'}"));
        container.createItem(Account.json("{'id':'b','pk':{'an':'object'}}"));
        Trial.equal(true, container.readItem("a", new PartitionKey(null), ObjectNode.class).getItem().has("pk"));
        Trial.equal(false, container.readItem("a", PartitionKey.NONE, ObjectNode.class).getItem().has("pk"));
        container.readItem("b", PartitionKey.NONE, ObjectNode.class);
        Trial.equal(1, container.readAllItems(new PartitionKey(null), ObjectNode.class).stream().count());
    }

    private static void scalars(Account account) {
        CosmosContainer container = account.container(Account.THREE_RANGES, "/pk");
        for (String value : List.of("1", "1.5", "'1'", "true", "false")) {
            container.createItem(Account.json("{'id':'a','pk':" + value + "}"));
        }
        for (Object value : List.of(1, 1.5, "1", true, false)) {
            ObjectNode found = container.readItem("a", new PartitionKey(value), ObjectNode.class).getItem();
            Trial.equal(value, found.get("pk").asText());
        }
    }

    private static void mismatch(Account account) {
        CosmosContainer container = account.container();
        Trial.refused(400, 1001, () -> container.createItem(
            Account.document(1), new PartitionKey("other"), new CosmosItemRequestOptions()));
    }

    private static void hierarchical(Account account) {
        CosmosContainer container = account.container(Account.THREE_RANGES, "/a", "/b", "/c");
        for (int number = 0; number < 60; number++) {
            ObjectNode document = Account.json("{}").put("id", "d" + number);
            container.createItem(document.put("a", "a" + number % 5).put("b", "b" + number % 3).put("c", number));
        }
        PartitionKey whole = new PartitionKeyBuilder().add("a1").add("b1").add(1).build();
        Trial.equal("d1", container.readItem("d1", whole, ObjectNode.class).getItem().get("id").asText());
        PartitionKey prefix = new PartitionKeyBuilder().add("a1").build();
        CosmosQueryRequestOptions options = new CosmosQueryRequestOptions().setPartitionKey(prefix);
        Trial.equal(12, container.queryItems("SELECT * FROM c", options, ObjectNode.class).stream().count());
        PartitionKey two = new PartitionKeyBuilder().add("a1").add("b1").build();
        options = new CosmosQueryRequestOptions().setPartitionKey(two);
        Trial.equal("[1, 16, 31, 46]", container
            .queryItems("SELECT VALUE c.c FROM c ORDER BY c.c", options, Integer.class).stream().toList());
    }

    private static void hierarchicalNull(Account account) {
        CosmosContainer container = account.container(Account.ONE_RANGE, "/a", "/b");
        container.createItem(Account.json("{'id':'x','a':'1','b':null}"));
        PartitionKey withNull = new PartitionKeyBuilder().add("1").add((String) null).build();
        Trial.equal(true, container.readItem("x", withNull, ObjectNode.class).getItem().has("b"));
    }

    private static void version(Account account, PartitionKeyDefinitionVersion version) {
        PartitionKeyDefinition definition = new PartitionKeyDefinition().setPaths(List.of("/pk"));
        if (version != null) {
            definition.setVersion(version);
        }
        CosmosContainerProperties properties = new CosmosContainerProperties(account.newName(), definition);
        CosmosContainer container = account.container(Account.THREE_RANGES, properties);
        PartitionKeyDefinition read = container.read().getProperties().getPartitionKeyDefinition();
        PartitionKeyDefinitionVersion known = version == null ? PartitionKeyDefinitionVersion.V1 : version;
        Trial.equal(known, read.getVersion() == null ? PartitionKeyDefinitionVersion.V1 : read.getVersion());
        for (int number = 0; number < 30; number++) {
            container.createItem(Account.document(number));
        }
        CosmosQueryRequestOptions options = new CosmosQueryRequestOptions().setPartitionKey(new PartitionKey("p4"));
        Trial.equal(3, container.queryItems("SELECT * FROM c", options, ObjectNode.class).stream().count());
        Trial.equal(30, container.getFeedRanges().stream().mapToLong(range -> container.queryItems("SELECT * FROM c",
            new CosmosQueryRequestOptions().setFeedRange(range), ObjectNode.class).stream().count()).sum());
    }

    private static CosmosContainer withUniqueMail(Account account) {
        CosmosContainerProperties properties = new CosmosContainerProperties(account.newName(), "/pk");
        properties.setUniqueKeyPolicy(new UniqueKeyPolicy().setUniqueKeys(
            List.of(new UniqueKey(List.of("/mail")))));
        return account.container(Account.ONE_RANGE, properties);
    }

    private static void uniqueKeys(Account account) {
        CosmosContainer container = withUniqueMail(account);
        container.createItem(Account.document(1).put("mail", "x"));
        container.upsertItem(Account.document(1).put("mail", "x"));
        container.createItem(Account.document(2).put("mail", "x"));
        Trial.refused(409, 0, () -> container.createItem(Account.document(11).put("mail", "x")));
        Trial.refused(409, 0, () -> container.upsertItem(Account.document(11).put("mail", "x")));
        container.createItem(Account.document(11));
        Trial.refused(409, 0, () -> container.createItem(Account.document(21)));
    }

    private static void uniqueKeysStay(Account account) {
        CosmosContainer container = withUniqueMail(account);
        CosmosContainerProperties properties = container.read().getProperties();
        Trial.equal("[/mail]", List.copyOf(properties.getUniqueKeyPolicy().getUniqueKeys().get(0).getPaths()));
        properties.setUniqueKeyPolicy(new UniqueKeyPolicy().setUniqueKeys(
            List.of(new UniqueKey(List.of("/other")))));
        Trial.refused(400, 0, () -> container.replace(properties));
    }
}
