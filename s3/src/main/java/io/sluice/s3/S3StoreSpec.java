package io.sluice.s3;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.s3.model.StorageClass;

/**
 * How an {@link S3ObjectStore} reads and writes. Immutable: every method gives a copy, so a spec can be kept as a template.
 *
 * <p>Memory of reading: every open read holds at most {@link #rangeBytes}; what is fetched beyond them is shared out among all
 * reads of a store within {@link #readAheadBytes}. A data set counts all that is fetched for it within
 * {@link io.sluice.ReadSpec#prefetchBytes(long)} as well, and fetches shorter ranges where that is small. Memory of writing:
 * {@link #partBytes} times {@link #partsInFlight} a write.
 */
public final class S3StoreSpec {

    /** Default of {@link #rangeBytes} where the heap allows it; less on heaps below 512 MiB. */
    public static final int DEFAULT_RANGE_BYTES = 8 << 20;

    /** Default of {@link #rangesInFlight}. */
    public static final int DEFAULT_RANGES_IN_FLIGHT = 8;

    /** Default of {@link #partBytes} where the heap allows it; less, down to 5 MiB, on heaps below 512 MiB. */
    public static final int DEFAULT_PART_BYTES = 8 << 20;

    /** Default of {@link #partsInFlight} where the heap allows it. */
    public static final int DEFAULT_PARTS_IN_FLIGHT = 4;

    /** Default of {@link #maxRetries}. */
    public static final int DEFAULT_MAX_RETRIES = 8;

    /** Default of the first and of the longest pause of {@link #backoff}. */
    public static final Duration DEFAULT_MIN_BACKOFF = Duration.ofMillis(100);

    /** Default of the longest pause of {@link #backoff}. */
    public static final Duration DEFAULT_MAX_BACKOFF = Duration.ofSeconds(5);

    /** Default of {@link #stallTimeout}. */
    public static final Duration DEFAULT_STALL_TIMEOUT = Duration.ofSeconds(20);

    /** The least that S3 takes as a part that is not the last. */
    public static final int MIN_PART_BYTES = 5 << 20;

    /** Default of {@link #enoughBytesPerSecond}: more than a consumer can take. */
    private static final double ENOUGH_BYTES_PER_SECOND = 1 << 30;

    final int rangeBytes;
    final int rangesInFlight;
    /** Where a few connections bring as much, more of them are only a burden. */
    final double enoughBytesPerSecond;

    final long readAheadBytes;
    final int partBytes;
    final int partsInFlight;
    final int maxRetries;
    final Duration minBackoff;
    final Duration maxBackoff;
    final Duration stallTimeout;
    final ConditionalWrites conditionalWrites;
    final boolean requesterPays;
    final @Nullable ServerSideEncryption encryption;
    final @Nullable String kmsKeyId;
    final @Nullable StorageClass storageClass;
    final Map<String, String> metadata;
    final Map<String, String> tags;
    final Scheduler scheduler;

    private S3StoreSpec(Builder from) {
        this.rangeBytes = from.rangeBytes;
        this.rangesInFlight = from.rangesInFlight;
        this.enoughBytesPerSecond = from.enoughBytesPerSecond;
        this.readAheadBytes = from.readAheadBytes;
        this.partBytes = from.partBytes;
        this.partsInFlight = from.partsInFlight;
        this.maxRetries = from.maxRetries;
        this.minBackoff = from.minBackoff;
        this.maxBackoff = from.maxBackoff;
        this.stallTimeout = from.stallTimeout;
        this.conditionalWrites = from.conditionalWrites;
        this.requesterPays = from.requesterPays;
        this.encryption = from.encryption;
        this.kmsKeyId = from.kmsKeyId;
        this.storageClass = from.storageClass;
        this.metadata = from.metadata;
        this.tags = from.tags;
        this.scheduler = from.scheduler;
    }

    /** All defaults; those for memory depend on the heap's size. */
    public static S3StoreSpec create() {
        return new S3StoreSpec(new Builder(Runtime.getRuntime().maxMemory()));
    }

    /**
     * Bytes that one GET asks for at most where as many as {@link #rangesInFlight} are under way; the first ones of a read ask for
     * less. Where fewer are, since the connections are so fast, they ask for as much more, all of them together for no more than
     * this times their number. Less than 1 MiB is kept to.
     */
    public S3StoreSpec rangeBytes(int bytes) {
        require(bytes >= 1, "rangeBytes", bytes);
        Builder copy = new Builder(this);
        copy.rangeBytes = bytes;
        return new S3StoreSpec(copy);
    }

    /** GETs of one read that may be under way at a time, given in order. 1 fetches nothing ahead. */
    public S3StoreSpec rangesInFlight(int ranges) {
        require(ranges >= 1, "rangesInFlight", ranges);
        Builder copy = new Builder(this);
        copy.rangesInFlight = ranges;
        return new S3StoreSpec(copy);
    }

    /** For tests, which can't tell how fast their server is. */
    S3StoreSpec enoughBytesPerSecond(double bytes) {
        Builder copy = new Builder(this);
        copy.enoughBytesPerSecond = bytes;
        return new S3StoreSpec(copy);
    }

    /** Bytes that all reads of the store together may fetch ahead, beside the {@link #rangeBytes} that each may always hold. */
    public S3StoreSpec readAheadBytes(long bytes) {
        require(bytes >= 0, "readAheadBytes", bytes);
        Builder copy = new Builder(this);
        copy.readAheadBytes = bytes;
        return new S3StoreSpec(copy);
    }

    /**
     * Bytes of a part of a multipart upload; content that fits into one is written by a single PutObject. Parts grow beyond
     * this after 16 GiB, since there can be 10,000 of them. S3 wants at least {@link #MIN_PART_BYTES}.
     */
    public S3StoreSpec partBytes(int bytes) {
        require(bytes >= 1, "partBytes", bytes);
        Builder copy = new Builder(this);
        copy.partBytes = bytes;
        return new S3StoreSpec(copy);
    }

    /** Parts of one write that are held in memory at a time, being filled or uploaded. */
    public S3StoreSpec partsInFlight(int parts) {
        require(parts >= 1, "partsInFlight", parts);
        Builder copy = new Builder(this);
        copy.partsInFlight = parts;
        return new S3StoreSpec(copy);
    }

    /**
     * How many times in a row, without a byte of progress, the same thing is tried again after a transient error. These come
     * on top of what the client itself retries.
     */
    public S3StoreSpec maxRetries(int retries) {
        require(retries >= 0, "maxRetries", retries);
        Builder copy = new Builder(this);
        copy.maxRetries = retries;
        return new S3StoreSpec(copy);
    }

    /** The pause before the first retry, and the longest one; in between it doubles. Each is shortened at random by up to a half. */
    public S3StoreSpec backoff(Duration first, Duration longest) {
        require(!first.isNegative() && longest.compareTo(first) >= 0, "backoff", first + ", " + longest);
        Builder copy = new Builder(this);
        copy.minBackoff = first;
        copy.maxBackoff = longest;
        return new S3StoreSpec(copy);
    }

    /** A GET that gives no byte for this long is given up and resumed. */
    public S3StoreSpec stallTimeout(Duration timeout) {
        require(!timeout.isNegative() && !timeout.isZero(), "stallTimeout", timeout);
        Builder copy = new Builder(this);
        copy.stallTimeout = timeout;
        return new S3StoreSpec(copy);
    }

    /** What create-only writes rely on. */
    public S3StoreSpec conditionalWrites(ConditionalWrites writes) {
        Builder copy = new Builder(this);
        copy.conditionalWrites = Objects.requireNonNull(writes, "writes");
        return new S3StoreSpec(copy);
    }

    /** Accepts that the requester is charged. */
    public S3StoreSpec requesterPays() {
        Builder copy = new Builder(this);
        copy.requesterPays = true;
        return new S3StoreSpec(copy);
    }

    /** Server-side encryption of what is written, with a key of S3's or, for {@code AWS_KMS}, with the account's. */
    public S3StoreSpec encryption(ServerSideEncryption method) {
        Builder copy = new Builder(this);
        copy.encryption = Objects.requireNonNull(method, "method");
        copy.kmsKeyId = null;
        return new S3StoreSpec(copy);
    }

    /** Server-side encryption of what is written, with this key of KMS. */
    public S3StoreSpec encryption(ServerSideEncryption method, String keyId) {
        Builder copy = new Builder(this);
        copy.encryption = Objects.requireNonNull(method, "method");
        copy.kmsKeyId = Objects.requireNonNull(keyId, "keyId");
        return new S3StoreSpec(copy);
    }

    /** Storage class of what is written. */
    public S3StoreSpec storageClass(StorageClass storage) {
        Builder copy = new Builder(this);
        copy.storageClass = Objects.requireNonNull(storage, "storage");
        return new S3StoreSpec(copy);
    }

    /** One more entry of metadata for what is written. */
    public S3StoreSpec metadata(String name, String value) {
        Builder copy = new Builder(this);
        copy.metadata = with(metadata, name, value);
        return new S3StoreSpec(copy);
    }

    /** One more tag for what is written. */
    public S3StoreSpec tag(String name, String value) {
        Builder copy = new Builder(this);
        copy.tags = with(tags, name, value);
        return new S3StoreSpec(copy);
    }

    /**
     * Where requests are made, because finding credentials may block; bounded elastic by default. Bytes are signalled on the
     * threads of the HTTP client, or on the one that requests them.
     */
    public S3StoreSpec scheduler(Scheduler blocking) {
        Builder copy = new Builder(this);
        copy.scheduler = Objects.requireNonNull(blocking, "blocking");
        return new S3StoreSpec(copy);
    }

    private static Map<String, String> with(Map<String, String> entries, String name, String value) {
        Map<String, String> copy = new TreeMap<>(entries);
        copy.put(name, value);
        return Map.copyOf(copy);
    }

    private static void require(boolean condition, String option, Object value) {
        if (!condition) {
            throw new IllegalArgumentException(option + " must not be " + value);
        }
    }

    private static final class Builder {
        private int rangeBytes;
        private int rangesInFlight;
        private double enoughBytesPerSecond;
        private long readAheadBytes;
        private int partBytes;
        private int partsInFlight;
        private int maxRetries;
        private Duration minBackoff;
        private Duration maxBackoff;
        private Duration stallTimeout;
        private ConditionalWrites conditionalWrites;
        private boolean requesterPays;
        private @Nullable ServerSideEncryption encryption;
        private @Nullable String kmsKeyId;
        private @Nullable StorageClass storageClass;
        private Map<String, String> metadata;
        private Map<String, String> tags;
        private Scheduler scheduler;

        Builder(long heapBytes) {
            // an eighth of the heap for reading ahead, another one for parts
            long share = heapBytes / 8;
            rangesInFlight = DEFAULT_RANGES_IN_FLIGHT;
            enoughBytesPerSecond = ENOUGH_BYTES_PER_SECOND;
            rangeBytes = (int) Math.max(512 << 10, Math.min(DEFAULT_RANGE_BYTES, share / rangesInFlight));
            readAheadBytes = Math.min(share, 256L << 20);
            partBytes = (int) Math.max(MIN_PART_BYTES, Math.min(DEFAULT_PART_BYTES, share / DEFAULT_PARTS_IN_FLIGHT));
            partsInFlight = (int) Math.max(1, Math.min(DEFAULT_PARTS_IN_FLIGHT, share / partBytes));
            maxRetries = DEFAULT_MAX_RETRIES;
            minBackoff = DEFAULT_MIN_BACKOFF;
            maxBackoff = DEFAULT_MAX_BACKOFF;
            stallTimeout = DEFAULT_STALL_TIMEOUT;
            conditionalWrites = ConditionalWrites.PROBE;
            metadata = Map.of();
            tags = Map.of();
            scheduler = Schedulers.boundedElastic();
        }

        Builder(S3StoreSpec from) {
            rangeBytes = from.rangeBytes;
            rangesInFlight = from.rangesInFlight;
            enoughBytesPerSecond = from.enoughBytesPerSecond;
            readAheadBytes = from.readAheadBytes;
            partBytes = from.partBytes;
            partsInFlight = from.partsInFlight;
            maxRetries = from.maxRetries;
            minBackoff = from.minBackoff;
            maxBackoff = from.maxBackoff;
            stallTimeout = from.stallTimeout;
            conditionalWrites = from.conditionalWrites;
            requesterPays = from.requesterPays;
            encryption = from.encryption;
            kmsKeyId = from.kmsKeyId;
            storageClass = from.storageClass;
            metadata = from.metadata;
            tags = from.tags;
            scheduler = from.scheduler;
        }
    }
}
