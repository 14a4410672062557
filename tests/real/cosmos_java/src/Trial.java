import com.azure.cosmos.CosmosException;

/** Something the SDK is asked to do; it holds if it ends without an exception. */
record Trial(String name, Body body) {
    @FunctionalInterface
    interface Body {
        void run(Account account) throws Exception;
    }

    static void equal(Object expected, Object actual) {
        if (!String.valueOf(expected).equals(String.valueOf(actual))) {
            throw new AssertionError("expected " + expected + ", not " + actual);
        }
    }

    /** The call has to be refused with a status, and a sub-status where it is not 0. */
    static void refused(int status, int subStatus, Runnable call) {
        try {
            call.run();
        } catch (CosmosException error) {
            equal(status, error.getStatusCode());
            if (subStatus != 0) {
                equal(subStatus, error.getSubStatusCode());
            }
            return;
        }
        throw new AssertionError("expected " + status + "/" + subStatus + ", not a success");
    }
}
