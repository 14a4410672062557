import com.azure.cosmos.ConsistencyLevel;
import com.azure.cosmos.CosmosClient;
import com.azure.cosmos.CosmosClientBuilder;
import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.CosmosDatabase;
import com.azure.cosmos.ThrottlingRetryOptions;
import com.azure.cosmos.models.CosmosContainerProperties;
import com.azure.cosmos.models.PartitionKey;
import com.azure.cosmos.models.PartitionKeyDefinition;
import com.azure.cosmos.models.PartitionKeyDefinitionVersion;
import com.azure.cosmos.models.PartitionKind;
import com.azure.cosmos.models.ThroughputProperties;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;

/** The account under trial: in gateway mode, as the Spark connector calls it here. */
final class Account {
    static final ObjectMapper JSON = new ObjectMapper();
    static final int ONE_RANGE = 6_000;
    static final int THREE_RANGES = 18_000;

    final CosmosClient client;
    final CosmosDatabase database;
    private int containers;

    Account(String endpoint, String key) {
        client = builder(endpoint, key).buildClient();
        client.createDatabaseIfNotExists("trials");
        database = client.getDatabase("trials");
    }

    private static CosmosClientBuilder builder(String endpoint, String key) {
        ThrottlingRetryOptions patience = new ThrottlingRetryOptions()
            .setMaxRetryAttemptsOnThrottledRequests(100)
            .setMaxRetryWaitTime(Duration.ofSeconds(60));
        return new CosmosClientBuilder()
            .endpoint(endpoint)
            .key(key)
            .gatewayMode()
            .consistencyLevel(ConsistencyLevel.SESSION)
            .contentResponseOnWriteEnabled(true)
            .throttlingRetryOptions(patience);
    }

    CosmosContainer container() {
        return container(ONE_RANGE, "/pk");
    }

    CosmosContainer container(int ru, String... paths) {
        PartitionKeyDefinition definition = new PartitionKeyDefinition();
        definition.setPaths(List.of(paths));
        definition.setKind(paths.length > 1 ? PartitionKind.MULTI_HASH : PartitionKind.HASH);
        definition.setVersion(PartitionKeyDefinitionVersion.V2);
        return container(ru, new CosmosContainerProperties(newName(), definition));
    }

    CosmosContainer container(int ru, CosmosContainerProperties properties) {
        database.createContainer(properties, ThroughputProperties.createManualThroughput(ru));
        return database.getContainer(properties.getId());
    }

    String newName() {
        containers += 1;
        return "c" + containers;
    }

    static ObjectNode json(String text) {
        try {
            return (ObjectNode) JSON.readTree(text.replace('\'', '"'));
        } catch (Exception error) {
            throw new IllegalArgumentException(text, error);
        }
    }

    static ObjectNode document(int number) {
        ObjectNode document = json("{}");
        document.put("id", "d" + number).put("pk", "p" + number % 10).put("n", number).put("team", number % 3);
        return number % 4 == 0 ? document : document.put("text", "t" + number % 7);
    }

    static PartitionKey key(ObjectNode document) {
        return new PartitionKey(document.get("pk").asText());
    }

    /** A container with the documents 0 to 99. */
    CosmosContainer filled(int ru) {
        CosmosContainer container = container(ru, "/pk");
        for (int number = 0; number < 100; number++) {
            container.createItem(document(number));
        }
        return container;
    }

    static JsonNode without(JsonNode document) {
        ObjectNode copy = document.deepCopy();
        for (String name : List.of("_rid", "_self", "_etag", "_attachments", "_ts", "_lsn")) {
            copy.remove(name);
        }
        return copy;
    }
}
