package io.sluice.arrow;

import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.format.JsonlSpec;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * How records become batches. Immutable: every option gives a new spec.
 *
 * <p>Defaults: the schema is inferred from the first {@link #DEFAULT_SAMPLE_RECORDS} records, at most {@link
 * #DEFAULT_SAMPLE_BYTES} of the data set; batches have {@link #DEFAULT_BATCH_ROWS} rows; all columns are read; what the schema
 * did not foresee is an error ({@link Unexpected#FAIL}).
 */
public final class ArrowSpec {

    /** Rows of a batch by default. */
    public static final int DEFAULT_BATCH_ROWS = 65_536;

    /** Bytes that a batch may hold by default, 32 MiB: wide rows make batches of fewer rows. */
    public static final long DEFAULT_BATCH_BYTES = 32L << 20;

    /** Records that a schema is inferred from by default. */
    public static final long DEFAULT_SAMPLE_RECORDS = 10_000;

    /** Bytes that a schema is inferred from by default, 4 MiB: whichever of the two ends first. */
    public static final int DEFAULT_SAMPLE_BYTES = 4 << 20;

    /** The column that {@link Unexpected#COLLECT} adds. */
    public static final String REST_COLUMN = "_rest";

    /** Stands for the keys that {@link #onIgnored} does not tell by name. */
    public static final String OTHER_KEYS = "…";

    private static final ArrowSpec DEFAULT = new ArrowSpec();

    private @Nullable Schema schema;
    private long sampleRecords = DEFAULT_SAMPLE_RECORDS;
    private int sampleBytes = DEFAULT_SAMPLE_BYTES;
    private int batchRows = DEFAULT_BATCH_ROWS;
    private long batchBytes = DEFAULT_BATCH_BYTES;
    private List<String> columns = List.of();
    private List<String> dictionaries = List.of();
    private @Nullable RowFilter filter;
    private Unexpected unexpected = Unexpected.FAIL;
    private boolean timestamps;
    private List<DateTimeFormatter> patterns = List.of();
    private boolean decimals;
    private boolean unions;
    private @Nullable String pathColumn;
    private @Nullable String rowIndexColumn;
    private long firstRowIndex;
    private JsonlSpec jsonl = JsonlSpec.create();
    private @Nullable Consumer<? super Map<String, Long>> ignored;

    private ArrowSpec() {}

    private ArrowSpec(ArrowSpec from) {
        this.schema = from.schema;
        this.sampleRecords = from.sampleRecords;
        this.sampleBytes = from.sampleBytes;
        this.batchRows = from.batchRows;
        this.batchBytes = from.batchBytes;
        this.columns = from.columns;
        this.dictionaries = from.dictionaries;
        this.filter = from.filter;
        this.unexpected = from.unexpected;
        this.timestamps = from.timestamps;
        this.patterns = from.patterns;
        this.decimals = from.decimals;
        this.unions = from.unions;
        this.pathColumn = from.pathColumn;
        this.rowIndexColumn = from.rowIndexColumn;
        this.firstRowIndex = from.firstRowIndex;
        this.jsonl = from.jsonl;
        this.ignored = from.ignored;
    }

    /** The defaults. */
    public static ArrowSpec create() {
        return DEFAULT;
    }

    private ArrowSpec with(Consumer<ArrowSpec> change) {
        ArrowSpec copy = new ArrowSpec(this);
        change.accept(copy);
        return copy;
    }

    // ---- schema -----------------------------------------------------------------------------------------------------

    /** Reads with this schema instead of inferring one. */
    public ArrowSpec schema(Schema columnsOfRecords) {
        Objects.requireNonNull(columnsOfRecords, "schema");
        return with(s -> s.schema = columnsOfRecords);
    }

    /** The given schema, or null where it is inferred. */
    public @Nullable Schema schema() {
        return schema;
    }

    /** Infers the schema from so many records at most; {@code Long.MAX_VALUE} for as many as {@link #sampleBytes} hold. */
    public ArrowSpec sampleRecords(long records) {
        requirePositive(records, "sampleRecords");
        return with(s -> s.sampleRecords = records);
    }

    /** Records that a schema is inferred from. */
    public long sampleRecords() {
        return sampleRecords;
    }

    /** Infers the schema from so many bytes at most, which are held in memory until the first batch. */
    public ArrowSpec sampleBytes(int bytes) {
        requirePositive(bytes, "sampleBytes");
        return with(s -> s.sampleBytes = bytes);
    }

    /** Bytes that a schema is inferred from. */
    public int sampleBytes() {
        return sampleBytes;
    }

    /** When inferring: columns of strings that are all timestamps, dates or times become such. */
    public ArrowSpec detectTimestamps() {
        return with(s -> s.timestamps = true);
    }

    /** Whether {@link #detectTimestamps()}. */
    public boolean detectsTimestamps() {
        return timestamps;
    }

    /** How timestamps may be written beside RFC 3339, tried in order. */
    public ArrowSpec timestampPatterns(DateTimeFormatter... formatters) {
        List<DateTimeFormatter> all = List.of(formatters);
        return with(s -> s.patterns = all);
    }

    /** The patterns of timestamps. */
    public List<DateTimeFormatter> timestampPatterns() {
        return patterns;
    }

    /** When inferring: numbers with a fraction become decimals with as many digits after the point as were seen, not doubles. */
    public ArrowSpec decimals() {
        return with(s -> s.decimals = true);
    }

    /** Whether {@link #decimals()}. */
    public boolean infersDecimals() {
        return decimals;
    }

    /** When inferring: columns with values of several kinds become dense unions, not JSON text. */
    public ArrowSpec unions() {
        return with(s -> s.unions = true);
    }

    /** Whether {@link #unions()}. */
    public boolean infersUnions() {
        return unions;
    }

    /** Dictionary-encodes these columns of strings, given by path, with 32-bit indexes. */
    public ArrowSpec dictionaries(String... paths) {
        List<String> all = List.of(paths);
        return with(s -> s.dictionaries = all);
    }

    /** Paths of the columns that are dictionary-encoded beside those of the schema. */
    public List<String> dictionaries() {
        return dictionaries;
    }

    // ---- batches ----------------------------------------------------------------------------------------------------

    /** Rows of every batch but the last. */
    public ArrowSpec batchRows(int rows) {
        requirePositive(rows, "batchRows");
        return with(s -> s.batchRows = rows);
    }

    /** Rows of every batch but the last. */
    public int batchRows() {
        return batchRows;
    }

    /** Ends a batch early, before the row that would take its values and offsets over so many bytes; at most 1 GiB. */
    public ArrowSpec batchBytes(long bytes) {
        requirePositive(bytes, "batchBytes");
        if (bytes > BatchAssembler.MAX_BATCH_BYTES) {
            throw new IllegalArgumentException(
                    "batchBytes must be at most " + BatchAssembler.MAX_BATCH_BYTES + ": " + bytes);
        }
        return with(s -> s.batchBytes = bytes);
    }

    /** Bytes that a batch may hold. */
    public long batchBytes() {
        return batchBytes;
    }

    /**
     * Reads only these columns, given by path ({@code "actor"}, {@code "actor.login"}, through lists by name: {@code
     * "commits.sha"}). All else is checked and passed over, without being built; none of it is unexpected.
     */
    public ArrowSpec columns(String... paths) {
        List<String> all = List.of(paths);
        return with(s -> s.columns = all);
    }

    /** Paths of the columns to read; empty for all. */
    public List<String> columns() {
        return columns;
    }

    /** Keeps only the rows for which this holds; it is decided before the columns are built. */
    public ArrowSpec filter(RowFilter condition) {
        Objects.requireNonNull(condition, "filter");
        return with(s -> s.filter = condition);
    }

    /** The filter, or null where every row is kept. */
    public @Nullable RowFilter filter() {
        return filter;
    }

    /** Adds a column of this name with the key of each row's file. */
    public ArrowSpec pathColumn(String name) {
        Objects.requireNonNull(name, "name");
        return with(s -> s.pathColumn = name);
    }

    /** Name of the column of file keys, or null for none. */
    public @Nullable String pathColumn() {
        return pathColumn;
    }

    /**
     * Adds a 64-bit column of this name that counts the records of the stream from 0, over all files; those that a filter leaves
     * out count, those that are refused don't.
     */
    public ArrowSpec rowIndexColumn(String name) {
        return rowIndexColumn(name, 0);
    }

    /** As {@link #rowIndexColumn(String)}, from another number: where an earlier read left off. */
    public ArrowSpec rowIndexColumn(String name, long first) {
        Objects.requireNonNull(name, "name");
        return with(s -> {
            s.rowIndexColumn = name;
            s.firstRowIndex = first;
        });
    }

    /** Name of the column of row indexes, or null for none. */
    public @Nullable String rowIndexColumn() {
        return rowIndexColumn;
    }

    // ---- what turns up later ----------------------------------------------------------------------------------------

    /** What becomes of keys and values that the schema does not foresee. */
    public ArrowSpec unexpected(Unexpected mode) {
        Objects.requireNonNull(mode, "mode");
        return with(s -> s.unexpected = mode);
    }

    /** What becomes of keys and values that the schema does not foresee. */
    public Unexpected unexpected() {
        return unexpected;
    }

    /**
     * Under {@link Unexpected#IGNORE}: is told, when a read ends (by itself or by cancel), how often which keys were passed over, by
     * path. Of objects with more than 1,024 such keys, and beyond 10,000 paths, the rest is counted together under {@link #OTHER_KEYS}. Called
     * on the thread that emits; must not block.
     */
    public ArrowSpec onIgnored(Consumer<? super Map<String, Long>> counts) {
        Objects.requireNonNull(counts, "counts");
        return with(s -> s.ignored = counts);
    }

    @Nullable
    Consumer<? super Map<String, Long>> ignoredListener() {
        return ignored;
    }

    /** How JSON text is taken where one may choose. {@code bigDecimals} has no effect: the columns' types decide. */
    public ArrowSpec jsonl(JsonlSpec options) {
        Objects.requireNonNull(options, "options");
        return with(s -> s.jsonl = options);
    }

    /** How JSON text is taken where one may choose. */
    public JsonlSpec jsonl() {
        return jsonl;
    }

    // ---- for the readers --------------------------------------------------------------------------------------------

    InferenceRules inference() {
        return new InferenceRules(timestamps, decimals, unions, patterns);
    }

    JsonRules rules(int maxNesting, Projection projection) {
        return new JsonRules(
                maxNesting,
                jsonl.maxNumberDigits(),
                jsonl.acceptsNonFinite(),
                jsonl.rejectsDuplicateKeys(),
                projection,
                unexpected,
                patterns);
    }

    /** Where batches end, and the columns that are added to them; the same for every format of this module. */
    public BatchAssembler.Options batches() {
        return new BatchAssembler.Options(batchRows, batchBytes, pathColumn, rowIndexColumn, firstRowIndex);
    }

    private static void requirePositive(long value, String name) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }

    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        parts.add(schema == null ? "schema inferred" : "schema given");
        parts.add("batchRows " + batchRows);
        parts.add(unexpected.name());
        return "ArrowSpec" + parts;
    }
}
