import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.models.CosmosBatch;
import com.azure.cosmos.models.CosmosBatchResponse;
import com.azure.cosmos.models.CosmosBulkOperations;
import com.azure.cosmos.models.CosmosItemIdentity;
import com.azure.cosmos.models.CosmosItemOperation;
import com.azure.cosmos.models.CosmosItemRequestOptions;
import com.azure.cosmos.models.CosmosItemResponse;
import com.azure.cosmos.models.CosmosPatchItemRequestOptions;
import com.azure.cosmos.models.CosmosPatchOperations;
import com.azure.cosmos.models.PartitionKey;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** Writes and point reads. */
final class DocumentTrials {
    static final List<Trial> ALL = List.of(
        new Trial("create, read, replace, upsert and delete", DocumentTrials::lifeOfADocument),
        new Trial("a second create is 409", DocumentTrials::conflict),
        new Trial("a missing document is 404", DocumentTrials::missing),
        new Trial("another etag is 412", DocumentTrials::precondition),
        new Trial("a read of a known etag is 304", DocumentTrials::notModified),
        new Trial("a document over 2 MB is 413", DocumentTrials::tooLarge),
        new Trial("a patch", DocumentTrials::patch),
        new Trial("a patch whose condition fails is 412", DocumentTrials::patchCondition),
        new Trial("a transactional batch", DocumentTrials::batch),
        new Trial("a transactional batch that fails changes nothing", DocumentTrials::failingBatch),
        new Trial("bulk in one range", account -> bulk(account, Account.ONE_RANGE)),
        new Trial("bulk over ranges", account -> bulk(account, Account.THREE_RANGES)),
        new Trial("bulk reports each failure", DocumentTrials::bulkFailure),
        new Trial("read many over ranges", DocumentTrials::readMany),
        new Trial("delete all documents of a key", DocumentTrials::deleteKey),
        new Trial("time to live", DocumentTrials::timeToLive));

    private static void lifeOfADocument(Account account) {
        CosmosContainer container = account.container();
        ObjectNode document = Account.document(1);
        PartitionKey key = Account.key(document);
        Trial.equal(201, container.createItem(document).getStatusCode());
        Trial.equal(document, Account.without(container.readItem("d1", key, ObjectNode.class).getItem()));
        document.put("n", 5);
        Trial.equal(200, container.replaceItem(document, "d1", key, null).getStatusCode());
        Trial.equal(200, container.upsertItem(document).getStatusCode());
        Trial.equal(5, container.readItem("d1", key, ObjectNode.class).getItem().get("n"));
        Trial.equal(204, container.deleteItem("d1", key, null).getStatusCode());
        Trial.refused(404, 0, () -> container.readItem("d1", key, ObjectNode.class));
    }

    private static void conflict(Account account) {
        CosmosContainer container = account.container();
        container.createItem(Account.document(1));
        Trial.refused(409, 0, () -> container.createItem(Account.document(1)));
    }

    private static void missing(Account account) {
        CosmosContainer container = account.container();
        PartitionKey key = new PartitionKey("p");
        Trial.refused(404, 0, () -> container.readItem("x", key, ObjectNode.class));
        Trial.refused(404, 0, () -> container.deleteItem("x", key, null));
        Trial.refused(404, 0, () -> container.replaceItem(Account.document(1), "d1", new PartitionKey("p1"), null));
    }

    private static void precondition(Account account) {
        CosmosContainer container = account.container();
        ObjectNode document = Account.document(1);
        String etag = container.createItem(document).getETag();
        CosmosItemRequestOptions options = new CosmosItemRequestOptions().setIfMatchETag(etag);
        Trial.equal(200, container.replaceItem(document, "d1", Account.key(document), options).getStatusCode());
        Trial.refused(412, 0, () -> container.replaceItem(document, "d1", Account.key(document), options));
        Trial.refused(412, 0, () -> container.deleteItem("d1", Account.key(document), options));
    }

    private static void notModified(Account account) {
        CosmosContainer container = account.container();
        ObjectNode document = Account.document(1);
        CosmosItemRequestOptions options = new CosmosItemRequestOptions()
            .setIfNoneMatchETag(container.createItem(document).getETag());
        CosmosItemResponse<ObjectNode> answer =
            container.readItem("d1", Account.key(document), options, ObjectNode.class);
        Trial.equal(304, answer.getStatusCode());
    }

    private static void tooLarge(Account account) {
        CosmosContainer container = account.container();
        ObjectNode document = Account.document(1).put("text", "x".repeat(2 * 1024 * 1024));
        Trial.refused(413, 0, () -> container.createItem(document));
    }

    private static void patch(Account account) {
        CosmosContainer container = account.container();
        container.createItem(Account.document(1));
        CosmosPatchOperations operations = CosmosPatchOperations.create()
            .add("/list", List.of(1, 2)).set("/text", "new").increment("/n", 2).remove("/team").move("/text", "/new");
        ObjectNode patched =
            container.patchItem("d1", new PartitionKey("p1"), operations, ObjectNode.class).getItem();
        ObjectNode expected = Account.json("{'id':'d1','pk':'p1','n':3,'list':[1,2],'new':'new'}");
        Trial.equal(expected, Account.without(patched));
    }

    private static void patchCondition(Account account) {
        CosmosContainer container = account.container();
        container.createItem(Account.document(1));
        CosmosPatchItemRequestOptions options = new CosmosPatchItemRequestOptions();
        options.setFilterPredicate("from c where c.n = 7");
        CosmosPatchOperations operations = CosmosPatchOperations.create().set("/n", 2);
        Trial.refused(
            412, 0, () -> container.patchItem("d1", new PartitionKey("p1"), operations, options, ObjectNode.class));
    }

    private static void batch(Account account) {
        CosmosContainer container = account.container();
        CosmosBatch batch = CosmosBatch.createCosmosBatch(new PartitionKey("p1"));
        batch.createItemOperation(Account.document(1));
        batch.upsertItemOperation(Account.document(11));
        batch.readItemOperation("d1");
        batch.deleteItemOperation("d11");
        CosmosBatchResponse answer = container.executeCosmosBatch(batch);
        Trial.equal(List.of(201, 201, 200, 204), answer.getResults().stream().map(one -> one.getStatusCode()).toList());
        Trial.equal(1, answer.getResults().get(2).getItem(ObjectNode.class).get("n"));
    }

    private static void failingBatch(Account account) {
        CosmosContainer container = account.container();
        container.createItem(Account.document(1));
        CosmosBatch batch = CosmosBatch.createCosmosBatch(new PartitionKey("p1"));
        batch.createItemOperation(Account.document(11));
        batch.createItemOperation(Account.document(1));
        CosmosBatchResponse answer = container.executeCosmosBatch(batch);
        Trial.equal(List.of(424, 409), answer.getResults().stream().map(one -> one.getStatusCode()).toList());
        Trial.refused(404, 0, () -> container.readItem("d11", new PartitionKey("p1"), ObjectNode.class));
    }

    private static void bulk(Account account, int ru) {
        CosmosContainer container = account.container(ru, "/pk");
        List<CosmosItemOperation> operations = new ArrayList<>();
        for (int number = 0; number < 300; number++) {
            ObjectNode document = Account.document(number).put("pk", "p" + number);
            operations.add(CosmosBulkOperations.getUpsertItemOperation(document, Account.key(document)));
        }
        container.executeBulkOperations(operations)
            .forEach(answer -> Trial.equal(201, answer.getResponse().getStatusCode()));
        Trial.equal(7, container.readItem("d7", new PartitionKey("p7"), ObjectNode.class).getItem().get("n"));
    }

    private static void bulkFailure(Account account) {
        CosmosContainer container = account.container();
        container.createItem(Account.document(1));
        List<CosmosItemOperation> operations = List.of(
            CosmosBulkOperations.getCreateItemOperation(Account.document(1), new PartitionKey("p1")),
            CosmosBulkOperations.getCreateItemOperation(Account.document(2), new PartitionKey("p2")),
            CosmosBulkOperations.getDeleteItemOperation("x", new PartitionKey("p1")));
        List<Integer> codes = new ArrayList<>();
        container.executeBulkOperations(operations)
            .forEach(answer -> codes.add(answer.getResponse().getStatusCode()));
        Trial.equal(List.of(201, 404, 409), codes.stream().sorted().toList());
    }

    private static void readMany(Account account) {
        CosmosContainer container = account.filled(Account.THREE_RANGES);
        List<CosmosItemIdentity> wanted = new ArrayList<>();
        for (int number = 0; number < 20; number++) {
            wanted.add(new CosmosItemIdentity(new PartitionKey("p" + number % 10), "d" + number));
        }
        Trial.equal(20, container.readMany(wanted, ObjectNode.class).getResults().size());
    }

    private static void deleteKey(Account account) {
        CosmosContainer container = account.container();
        container.createItem(Account.document(1));
        container.createItem(Account.document(2));
        container.deleteAllItemsByPartitionKey(new PartitionKey("p1"), new CosmosItemRequestOptions());
        Trial.refused(404, 0, () -> container.readItem("d1", new PartitionKey("p1"), ObjectNode.class));
        container.readItem("d2", new PartitionKey("p2"), ObjectNode.class);
    }

    private static void timeToLive(Account account) throws Exception {
        CosmosContainer container = account.container();
        container.replace(container.read().getProperties().setDefaultTimeToLiveInSeconds(-1));
        container.createItem(Account.document(1).put("ttl", 1));
        container.createItem(Account.document(2));
        Trial.refused(400, 0, () -> container.createItem(Account.document(3).put("ttl", 0)));
        Thread.sleep(2100);
        Trial.refused(404, 0, () -> container.readItem("d1", new PartitionKey("p1"), ObjectNode.class));
        container.readItem("d2", new PartitionKey("p2"), ObjectNode.class);
    }
}
