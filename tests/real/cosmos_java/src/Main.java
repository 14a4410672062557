import com.azure.cosmos.CosmosException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.Stream;

/** Run all trials against one account and print a line of JSON for each: its name, whether it holds, and why not. */
public final class Main {
    public static void main(String[] arguments) {
        Account account = new Account(arguments[0], System.getenv("COSMOS_KEY"));
        Stream.of(DocumentTrials.ALL, QueryTrials.ALL, KeyTrials.ALL, ServiceTrials.ALL)
            .flatMap(List::stream)
            .forEach(trial -> System.out.println(outcome(trial, account)));
        System.exit(0);
    }

    private static ObjectNode outcome(Trial trial, Account account) {
        ObjectNode outcome = Account.JSON.createObjectNode().put("name", trial.name());
        try {
            trial.body().run(account);
            return outcome.put("ok", true).put("detail", "");
        } catch (Exception | AssertionError error) {
            return outcome.put("ok", false).put("detail", detail(error));
        }
    }

    static String detail(Throwable error) {
        if (error instanceof CosmosException refusal) {
            return refusal.getStatusCode() + "/" + refusal.getSubStatusCode() + " " + refusal.getShortMessage();
        }
        return String.valueOf(error);
    }
}
