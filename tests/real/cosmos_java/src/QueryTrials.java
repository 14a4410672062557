import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.models.CosmosQueryRequestOptions;
import com.azure.cosmos.models.FeedResponse;
import com.azure.cosmos.models.PartitionKey;
import com.azure.cosmos.models.SqlParameter;
import com.azure.cosmos.models.SqlQuerySpec;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Queries over all documents, each in a container of one range and in one of three. */
final class QueryTrials {
    static final List<Trial> ALL = List.of(
        new Trial("all documents", over("SELECT * FROM c", results -> Trial.equal(100, results.size()))),
        new Trial("a condition with parameters", account -> over(account, QueryTrials::parameters)),
        new Trial("one key", account -> over(account, QueryTrials::oneKey)),
        new Trial("COUNT", over("SELECT VALUE COUNT(1) FROM c", "[100]")),
        new Trial("COUNT of nothing", over("SELECT VALUE COUNT(1) FROM c WHERE c.n > 1000", "[0]")),
        new Trial("COUNT of a defined property", over("SELECT VALUE COUNT(c.text) FROM c", "[75]")),
        new Trial("SUM", over("SELECT VALUE SUM(c.n) FROM c", "[4950.0]")),
        new Trial("MIN", over("SELECT VALUE MIN(c.n) FROM c WHERE c.n >= 5", "[5]")),
        new Trial("MAX", over("SELECT VALUE MAX(c.text) FROM c", "[\"t6\"]")),
        new Trial("AVG", over("SELECT VALUE AVG(c.n) FROM c", "[49.5]")),
        new Trial("an aggregate with a name", over("SELECT COUNT(1) AS Count FROM c", "[{\"Count\":100}]")),
        new Trial("several aggregates", over(
            "SELECT MIN(c.n) AS low, MAX(c.n) AS high FROM c", "[{\"low\":0,\"high\":99}]")),
        new Trial("an aggregate of one key", account -> over(account, QueryTrials::aggregateOfOneKey)),
        new Trial("ORDER BY", over("SELECT VALUE c.n FROM c ORDER BY c.n", QueryTrials::ascending)),
        new Trial("ORDER BY DESC", over("SELECT * FROM c ORDER BY c.n DESC", results -> {
            Trial.equal(99, results.get(0).get("n"));
            Trial.equal(0, results.get(99).get("n"));
        })),
        new Trial("ORDER BY of values some lack", over(
            "SELECT VALUE c.id FROM c ORDER BY c.text", results -> Trial.equal(100, results.size()))),
        new Trial("ORDER BY two properties", account -> over(account, QueryTrials::twoProperties)),
        new Trial("ORDER BY goes on from a continuation", account -> over(account, container -> {
            ascending(pageByPage(container, "SELECT VALUE c.n FROM c ORDER BY c.n", 30));
        })),
        new Trial("ORDER BY goes on among equal values", account -> over(account, container -> {
            distinct(pageByPage(container, "SELECT * FROM c ORDER BY c.team", 7));
            distinct(pageByPage(container, "SELECT * FROM c ORDER BY c.text DESC", 7));
        })),
        new Trial("pages go on from a continuation", account -> over(account, container -> {
            distinct(pageByPage(container, "SELECT * FROM c", 30));
        })),
        new Trial("TOP", over("SELECT TOP 7 VALUE c.n FROM c ORDER BY c.n", "[0,1,2,3,4,5,6]")),
        new Trial("OFFSET LIMIT", over("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 40 LIMIT 3", "[40,41,42]")),
        new Trial("OFFSET LIMIT without an order", over(
            "SELECT * FROM c OFFSET 95 LIMIT 30", results -> Trial.equal(5, results.size()))),
        new Trial("DISTINCT", over("SELECT DISTINCT VALUE c.team FROM c", results -> Trial.equal("[0, 1, 2]",
            results.stream().map(JsonNode::asInt).sorted().toList()))),
        new Trial("DISTINCT with ORDER BY", over(
            "SELECT DISTINCT VALUE c.team FROM c ORDER BY c.team", "[0,1,2]")),
        new Trial("DISTINCT with ORDER BY goes on from a continuation", account -> over(account, container ->
            Trial.equal(8, pageByPage(container, "SELECT DISTINCT c.text FROM c ORDER BY c.text", 60).size()))),
        new Trial("TOP goes on from a continuation", account -> over(account, container ->
            Trial.equal(25, pageByPage(container, "SELECT TOP 25 * FROM c", 10).size()))),
        new Trial("OFFSET LIMIT goes on from a continuation", account -> over(account, container ->
            Trial.equal(45, pageByPage(container, "SELECT * FROM c ORDER BY c.n OFFSET 10 LIMIT 45", 10).size()))),
        new Trial("GROUP BY", over("SELECT c.team, COUNT(1) AS many FROM c GROUP BY c.team", results -> Trial.equal(
            "{0=34, 1=33, 2=33}", byTeam(results)))),
        new Trial("GROUP BY without an aggregate", over(
            "SELECT c.team FROM c GROUP BY c.team", results -> Trial.equal(3, results.size()))),
        new Trial("a query that is not understood is 400", account -> over(account, container ->
            Trial.refused(400, 0, () -> all(container, "SELECT * FROM c WHERE")))));

    interface Check {
        void of(List<JsonNode> results);
    }

    interface ContainerCheck {
        void of(CosmosContainer container);
    }

    private static Map<Integer, CosmosContainer> filled;

    private static void over(Account account, ContainerCheck check) {
        if (filled == null) {
            filled = Map.of(1, account.filled(Account.ONE_RANGE), 3, account.filled(Account.THREE_RANGES));
        }
        filled.forEach((ranges, container) -> {
            try {
                check.of(container);
            } catch (RuntimeException | AssertionError error) {
                throw new AssertionError("over " + ranges + " ranges: " + Main.detail(error), error);
            }
        });
    }

    private static Trial.Body over(String query, Check check) {
        return account -> over(account, container -> check.of(all(container, query)));
    }

    private static Trial.Body over(String query, String expected) {
        return over(query, results -> Trial.equal(expected, Account.JSON.valueToTree(results)));
    }

    private static List<JsonNode> all(CosmosContainer container, String query) {
        return container.queryItems(query, new CosmosQueryRequestOptions(), JsonNode.class).stream().toList();
    }

    private static List<JsonNode> pageByPage(CosmosContainer container, String query, int size) {
        List<JsonNode> found = new ArrayList<>();
        String token = null;
        do {
            FeedResponse<JsonNode> page = container
                .queryItems(query, new CosmosQueryRequestOptions(), JsonNode.class)
                .iterableByPage(token, size).iterator().next();
            found.addAll(page.getResults());
            token = page.getContinuationToken();
        } while (token != null);
        return found;
    }

    private static void distinct(List<JsonNode> results) {
        Trial.equal(100, results.size());
        Trial.equal(100, new TreeSet<>(results.stream().map(one -> one.get("id").asText()).toList()).size());
    }

    private static void ascending(List<JsonNode> results) {
        Trial.equal(100, results.size());
        for (int number = 0; number < 100; number++) {
            Trial.equal(number, results.get(number));
        }
    }

    private static void parameters(CosmosContainer container) {
        SqlQuerySpec query = new SqlQuerySpec(
            "SELECT * FROM c WHERE c.n >= @from AND c.text = @text",
            List.of(new SqlParameter("@from", 50), new SqlParameter("@text", "t1")));
        Trial.equal(6, container.queryItems(query, new CosmosQueryRequestOptions(), JsonNode.class).stream().count());
    }

    private static void oneKey(CosmosContainer container) {
        PartitionKey key = new PartitionKey("p3");
        Trial.equal(10, container.readAllItems(key, JsonNode.class).stream().count());
        CosmosQueryRequestOptions options = new CosmosQueryRequestOptions().setPartitionKey(key);
        Trial.equal("[3, 13]", container
            .queryItems("SELECT VALUE c.n FROM c WHERE c.n < 20 ORDER BY c.n", options, JsonNode.class)
            .stream().toList());
    }

    private static void aggregateOfOneKey(CosmosContainer container) {
        CosmosQueryRequestOptions options = new CosmosQueryRequestOptions().setPartitionKey(new PartitionKey("p3"));
        Trial.equal("[10]", container
            .queryItems("SELECT VALUE COUNT(1) FROM c", options, JsonNode.class).stream().toList());
    }

    private static void twoProperties(CosmosContainer container) {
        List<JsonNode> found = pageByPage(container, "SELECT c.team, c.n FROM c ORDER BY c.team, c.n DESC", 15);
        Trial.equal(100, found.size());
        Trial.equal("{\"team\":0,\"n\":99}", found.get(0));
        Trial.equal("{\"team\":2,\"n\":2}", found.get(99));
    }

    private static Map<Integer, Integer> byTeam(List<JsonNode> results) {
        Map<Integer, Integer> many = new TreeMap<>();
        results.forEach(one -> many.put(one.get("team").asInt(), one.get("many").asInt()));
        return many;
    }
}
