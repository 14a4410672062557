import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.models.CosmosBulkOperations;
import com.azure.cosmos.models.CosmosChangeFeedRequestOptions;
import com.azure.cosmos.models.CosmosContainerProperties;
import com.azure.cosmos.models.CosmosItemOperation;
import com.azure.cosmos.models.CosmosQueryRequestOptions;
import com.azure.cosmos.models.FeedRange;
import com.azure.cosmos.models.FeedResponse;
import com.azure.cosmos.models.PartitionKey;
import com.azure.cosmos.models.ThroughputProperties;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Partition ranges, throughput, the change feed, and resources that are not there. */
final class ServiceTrials {
    static final List<Trial> ALL = List.of(
        new Trial("6,000 RU/s a range of a new container", ServiceTrials::ranges),
        new Trial("the feed ranges hold each document once", ServiceTrials::feedRanges),
        new Trial("the change feed from its beginning", account -> changeFeed(account, Account.ONE_RANGE)),
        new Trial("the change feed over ranges", account -> changeFeed(account, Account.THREE_RANGES)),
        new Trial("the change feed from now", ServiceTrials::changeFeedFromNow),
        new Trial("the change feed from a point in time", ServiceTrials::changeFeedFromATime),
        new Trial("a client outlives a split", ServiceTrials::split),
        new Trial("throttled calls are repeated", ServiceTrials::throttled),
        new Trial("throughput below the minimum is 400", ServiceTrials::belowMinimum),
        new Trial("a document of a missing container is 404/1003", ServiceTrials::missingContainer),
        new Trial("a container of a missing database is 404/1003", ServiceTrials::missingDatabase),
        new Trial("containers and databases are listed and found", ServiceTrials::resources),
        new Trial("autoscale", ServiceTrials::autoscale),
        new Trial("a container that was made again", ServiceTrials::madeAgain),
        new Trial("a missing container is 404", account -> Trial.refused(
            404, 0, () -> account.database.getContainer("missing").read())),
        new Trial("a second container of a name is 409", ServiceTrials::secondContainer));

    private static void ranges(Account account) {
        Trial.equal(1, account.container(6_000, "/pk").getFeedRanges().size());
        Trial.equal(2, account.container(6_100, "/pk").getFeedRanges().size());
        Trial.equal(3, account.container(18_000, "/pk").getFeedRanges().size());
    }

    private static long count(CosmosContainer container, FeedRange range) {
        CosmosQueryRequestOptions options = new CosmosQueryRequestOptions().setFeedRange(range);
        return container.queryItems("SELECT * FROM c", options, ObjectNode.class).stream().count();
    }

    private static void feedRanges(Account account) {
        CosmosContainer container = account.filled(Account.THREE_RANGES);
        List<Long> counts = container.getFeedRanges().stream().map(range -> count(container, range)).toList();
        Trial.equal(3, counts.size());
        Trial.equal(100, counts.stream().mapToLong(Long::longValue).sum());
        Trial.equal(true, counts.stream().allMatch(count -> count < 100));
    }

    private static void changeFeed(Account account, int ru) {
        CosmosContainer container = account.filled(ru);
        FeedResponse<ObjectNode> last = null;
        int found = 0;
        for (FeedResponse<ObjectNode> page : container.queryChangeFeed(
            CosmosChangeFeedRequestOptions.createForProcessingFromBeginning(FeedRange.forFullRange()),
            ObjectNode.class).iterableByPage()) {
            found += page.getResults().size();
            last = page;
        }
        Trial.equal(100, found);
        container.upsertItem(Account.document(3).put("n", 1000));
        List<ObjectNode> changed = container.queryChangeFeed(
            CosmosChangeFeedRequestOptions.createForProcessingFromContinuation(last.getContinuationToken()),
            ObjectNode.class).stream().toList();
        Trial.equal("[d3]", changed.stream().map(one -> one.get("id").asText()).toList());
    }

    private static void changeFeedFromNow(Account account) {
        CosmosContainer container = account.filled(Account.THREE_RANGES);
        String token = null;
        for (FeedResponse<ObjectNode> page : container.queryChangeFeed(
            CosmosChangeFeedRequestOptions.createForProcessingFromNow(FeedRange.forFullRange()),
            ObjectNode.class).iterableByPage()) {
            Trial.equal(0, page.getResults().size());
            token = page.getContinuationToken();
        }
        container.upsertItem(Account.document(5));
        Trial.equal(1, container.queryChangeFeed(
            CosmosChangeFeedRequestOptions.createForProcessingFromContinuation(token), ObjectNode.class)
            .stream().count());
    }

    private static void changeFeedFromATime(Account account) throws Exception {
        CosmosContainer container = account.filled(Account.ONE_RANGE);
        Thread.sleep(2100);
        Instant moment = Instant.now();
        Thread.sleep(1100);
        container.upsertItem(Account.document(5));
        Trial.equal(1, container.queryChangeFeed(CosmosChangeFeedRequestOptions.createForProcessingFromPointInTime(
            moment, FeedRange.forFullRange()), ObjectNode.class).stream().count());
    }

    private static void split(Account account) {
        CosmosContainer container = account.filled(Account.ONE_RANGE);
        Trial.equal(100, count(container, FeedRange.forFullRange()));
        container.replaceThroughput(ThroughputProperties.createManualThroughput(20_000));
        Trial.equal(2, container.getFeedRanges().size());
        container.upsertItem(Account.document(3));
        List<CosmosItemOperation> operations = new ArrayList<>();
        for (int number = 0; number < 50; number++) {
            ObjectNode document = Account.document(number);
            operations.add(CosmosBulkOperations.getUpsertItemOperation(document, Account.key(document)));
        }
        container.executeBulkOperations(operations)
            .forEach(answer -> Trial.equal(200, answer.getResponse().getStatusCode()));
        Trial.equal("[100]", container.queryItems(
            "SELECT VALUE COUNT(1) FROM c", new CosmosQueryRequestOptions(), Integer.class).stream().toList());
    }

    private static void throttled(Account account) {
        CosmosContainer container = account.container(400, "/pk");
        String text = "x".repeat(20_000);
        for (int number = 0; number < 40; number++) {
            container.upsertItem(Account.document(number).put("text", text));
        }
        Trial.equal(4, container.readAllItems(new PartitionKey("p1"), ObjectNode.class).stream().count());
    }

    private static void belowMinimum(Account account) {
        CosmosContainer container = account.container(100_000, "/pk");
        Trial.equal(1000, container.readThroughput().getMinThroughput());
        Trial.refused(400, 0, () ->
            container.replaceThroughput(ThroughputProperties.createManualThroughput(900)));
    }

    private static void missingContainer(Account account) {
        CosmosContainer container = account.database.getContainer("missing");
        Trial.refused(404, 1003, () -> container.readItem("x", new PartitionKey("p"), ObjectNode.class));
        Trial.refused(404, 1003, () -> container.createItem(Account.document(1)));
    }

    private static void missingDatabase(Account account) {
        Trial.refused(404, 1003, () -> account.client.getDatabase("missing").createContainer("c", "/pk"));
    }

    private static void resources(Account account) {
        String name = account.container().getId();
        String query = "SELECT * FROM c WHERE c.id = '" + name + "'";
        Trial.equal(1, account.database.queryContainers(query).stream().count());
        Trial.equal(true, account.database.readAllContainers().stream().anyMatch(one -> one.getId().equals(name)));
        Trial.equal(1, account.client.queryDatabases("SELECT * FROM c WHERE c.id = 'trials'", null).stream().count());
        Trial.equal(true, account.client.readAllDatabases().stream().count() > 0);
    }

    private static void autoscale(Account account) {
        CosmosContainerProperties properties = new CosmosContainerProperties(account.newName(), "/pk");
        account.database.createContainer(properties, ThroughputProperties.createAutoscaledThroughput(4000));
        CosmosContainer container = account.database.getContainer(properties.getId());
        Trial.equal(4000, container.readThroughput().getProperties().getAutoscaleMaxThroughput());
        container.replaceThroughput(ThroughputProperties.createAutoscaledThroughput(6000));
        Trial.equal(6000, container.readThroughput().getProperties().getAutoscaleMaxThroughput());
    }

    private static void madeAgain(Account account) {
        CosmosContainer container = account.container();
        container.createItem(Account.document(1));
        container.delete();
        account.database.createContainer(container.getId(), "/pk");
        Trial.refused(404, 0, () -> container.readItem("d1", new PartitionKey("p1"), ObjectNode.class));
        container.createItem(Account.document(2));
        Trial.equal("[1]", container.queryItems(
            "SELECT VALUE COUNT(1) FROM c", new CosmosQueryRequestOptions(), Integer.class).stream().toList());
    }

    private static void secondContainer(Account account) {
        CosmosContainer container = account.container();
        Trial.refused(409, 0, () -> account.database.createContainer(container.getId(), "/pk"));
    }
}
