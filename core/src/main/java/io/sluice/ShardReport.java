package io.sluice;

/**
 * The account of one shard that was read to its end, or to its damage. Bytes are uncompressed and conserved:
 * {@code bytesDelivered + bytesBlank + bytesRejected + bytesLost == bytesIn}. Where a read was resumed inside the shard, the
 * account begins at the block that holds the position.
 *
 * @param key the shard's key
 * @param records records delivered
 * @param rejected records refused, whatever the policy made of them
 * @param blankLines blank lines
 * @param lostRecords records known to be lost with the lost bytes
 * @param bytesIn uncompressed bytes that came out of the shard
 * @param bytesDelivered bytes of delivered records, terminators included
 * @param bytesBlank bytes of blank lines, byte order marks, headers
 * @param bytesRejected bytes of refused records, terminators included
 * @param bytesLost bytes that belong to no readable record
 * @param complete false where the shard was damaged and its end not reached
 */
public record ShardReport(
        String key,
        long records,
        long rejected,
        long blankLines,
        long lostRecords,
        long bytesIn,
        long bytesDelivered,
        long bytesBlank,
        long bytesRejected,
        long bytesLost,
        boolean complete) {

    /** Whether every byte is accounted for. Always true; a test may hold us to it. */
    public boolean conserved() {
        return bytesDelivered + bytesBlank + bytesRejected + bytesLost == bytesIn;
    }

    /** The sum of two reports, under this one's key. */
    public ShardReport plus(ShardReport other) {
        return new ShardReport(
                key,
                records + other.records,
                rejected + other.rejected,
                blankLines + other.blankLines,
                lostRecords + other.lostRecords,
                bytesIn + other.bytesIn,
                bytesDelivered + other.bytesDelivered,
                bytesBlank + other.bytesBlank,
                bytesRejected + other.bytesRejected,
                bytesLost + other.bytesLost,
                complete && other.complete);
    }

    /** A report of nothing, to add to. */
    public static ShardReport empty(String key) {
        return new ShardReport(key, 0, 0, 0, 0, 0, 0, 0, 0, 0, true);
    }
}
