package io.sluice.arrow.internal.ipc;

/** A message that breaks Arrow's rules. Never leaves this package. */
final class BadMessage extends RuntimeException {

    private static final long serialVersionUID = 1L;

    BadMessage(String reason) {
        super(reason, null, false, false);
    }

    /** In a few words, whatever was thrown. */
    static String reason(RuntimeException e) {
        return e instanceof BadMessage ? String.valueOf(e.getMessage()) : "the message is malformed (" + e + ")";
    }
}
