package io.sluice.storage;

/**
 * The bytes that one read may have fetched and not yet used, shared by all objects that it has open. What is taken for bytes
 * that are then emitted is given back with them: from there on they count as the reader's. Safe for use by several threads.
 */
public interface PrefetchBudget {

    /** All of it: what a store sizes its ranges by. */
    long capacity();

    /**
     * Takes bytes before they are asked for, all or none of them.
     *
     * @param needed whether the object has nothing else under way: granted beyond the budget where the reader waits for just these
     *     bytes, so that reading always gets on
     * @return whether they were granted; where not, there will be a request when it is worth another try
     */
    boolean tryTake(long bytes, boolean needed);

    /** Whether the reader waits for just this object's bytes, and has none of them left: then a little now is better than more later. */
    boolean isAwaited();

    /** Gives back what was taken, as it is emitted or given up. */
    void giveBack(long bytes);
}
