package io.sluice.webflux;

/** The service as a child of a test's JVM, which ends with it: however that ends, the pipe to this one's standard input is closed. */
final class ForkedService {

    private ForkedService() {}

    public static void main(String[] args) {
        Thread parent = new Thread(
                () -> {
                    try {
                        while (System.in.read() >= 0) {}
                    } catch (java.io.IOException gone) {
                        // as well
                    }
                    System.exit(1); // which waits where a SIGTERM came first
                },
                "parent");
        parent.setDaemon(true);
        parent.start();
        DatasetService.main(args);
    }
}
