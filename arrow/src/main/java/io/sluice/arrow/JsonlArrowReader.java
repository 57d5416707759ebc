package io.sluice.arrow;

import io.sluice.arrow.internal.BatchAssembler;
import io.sluice.arrow.internal.ChunkPool;
import io.sluice.arrow.internal.ColumnPlan;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.BlockEmitter;
import io.sluice.codec.FormatReader;
import io.sluice.codec.ReadLimits;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** What the workers and the emitter of one read share: the schema as it is now. Thread-safe. */
final class JsonlArrowReader implements FormatReader<JsonlChunk, RecordBatch> {

    private static final ArrowType.Int CODES = new ArrowType.Int(32, true);

    /**
     * A schema, and all that follows from it. Under {@link Unexpected#WIDEN} another may take its place.
     *
     * @param records the schema of what is read, the rest column not included
     * @param columns the schema of the chunks
     * @param filterPool chunks of the columns that the filter looks at, or null
     */
    record Shape(
            Schema records,
            Schema columns,
            ChunkPool pool,
            JsonRules rules,
            @Nullable ChunkPool filterPool,
            @Nullable JsonRules filterRules) {}

    final ArrowSpec spec;
    final ReadLimits limits;
    private final BufferAllocator allocator;
    private final Shape first;
    private volatile Shape shape;

    JsonlArrowReader(Schema schema, ArrowSpec spec, ReadLimits limits, BufferAllocator allocator) {
        this.spec = spec;
        this.limits = limits;
        this.allocator = allocator;
        this.first = shape(schema, schema);
        this.shape = first;
        spec.batches().schema(first.columns); // refuses names that collide
        decoder(); // refuses types that JSON has no form for, and filters that do not fit
    }

    private Shape shape(Schema schema, Schema filtered) {
        Schema named = dictionaries(schema);
        Projection projection = Projection.of(spec.columns());
        Schema wanted = projection.apply(named);
        Schema columns = wanted;
        if (spec.unexpected() == Unexpected.COLLECT) {
            List<Field> fields = new ArrayList<>(wanted.getFields());
            fields.add(new Field(ArrowSpec.REST_COLUMN, JsonType.fieldType(), List.of()));
            columns = new Schema(fields, wanted.getCustomMetadata());
        }
        ChunkPool filterPool = null;
        JsonRules filterRules = null;
        RowFilter filter = spec.filter();
        if (filter != null) {
            Projection lookedAt = Projection.of(List.copyOf(filter.columns()));
            filterPool = new ChunkPool(ColumnPlan.of(lookedAt.apply(filtered).getFields()));
            filterRules = spec.unexpected(Unexpected.FAIL).rules(limits.maxNesting(), lookedAt);
        }
        return new Shape(
                schema,
                columns,
                new ChunkPool(ColumnPlan.of(columns.getFields())),
                spec.rules(limits.maxNesting(), projection),
                filterPool,
                filterRules);
    }

    private Schema dictionaries(Schema schema) {
        Set<String> wanted = new HashSet<>(spec.dictionaries());
        if (wanted.isEmpty()) {
            return schema;
        }
        long[] nextId = {0};
        Set<Long> taken = new HashSet<>();
        collectIds(schema.getFields(), taken);
        List<Field> fields = encode(schema.getFields(), "", wanted, taken, nextId);
        if (!wanted.isEmpty()) {
            throw new IllegalArgumentException("no columns " + wanted + " to dictionary-encode");
        }
        return new Schema(fields, schema.getCustomMetadata());
    }

    private static void collectIds(List<Field> fields, Set<Long> ids) {
        for (Field field : fields) {
            if (field.getDictionary() != null) {
                ids.add(field.getDictionary().getId());
            }
            collectIds(field.getChildren(), ids);
        }
    }

    private static List<Field> encode(
            List<Field> fields, String path, Set<String> wanted, Set<Long> taken, long[] nextId) {
        List<Field> encoded = new ArrayList<>();
        for (Field field : fields) {
            String name = path.isEmpty() ? field.getName() : path + "." + field.getName();
            switch (field.getType().getTypeID()) {
                case List, LargeList, FixedSizeList -> {
                    Field item = field.getChildren().get(0);
                    List<Field> inside = wanted.contains(name)
                            ? List.of(encode(item, name, wanted, taken, nextId))
                            : encodeInside(item, name, wanted, taken, nextId);
                    encoded.add(new Field(field.getName(), field.getFieldType(), inside));
                }
                case Struct ->
                    encoded.add(new Field(
                            field.getName(),
                            field.getFieldType(),
                            encode(field.getChildren(), name, wanted, taken, nextId)));
                default -> encoded.add(wanted.contains(name) ? encode(field, name, wanted, taken, nextId) : field);
            }
        }
        return encoded;
    }

    private static List<Field> encodeInside(
            Field item, String name, Set<String> wanted, Set<Long> taken, long[] nextId) {
        if (item.getType() instanceof ArrowType.Struct) {
            return List.of(new Field(
                    item.getName(), item.getFieldType(), encode(item.getChildren(), name, wanted, taken, nextId)));
        }
        return List.of(item);
    }

    private static Field encode(Field field, String name, Set<String> wanted, Set<Long> taken, long[] nextId) {
        if (!(field.getType() instanceof ArrowType.Utf8) || JsonType.isJson(field)) {
            throw new IllegalArgumentException(
                    "column '" + name + "' (" + field.getType() + ") can't be dictionary-encoded: only strings can");
        }
        wanted.remove(name);
        while (!taken.add(nextId[0])) {
            nextId[0]++;
        }
        DictionaryEncoding encoding = new DictionaryEncoding(nextId[0], false, CODES);
        return new Field(
                field.getName(), new FieldType(field.isNullable(), CODES, encoding, field.getMetadata()), List.of());
    }

    Shape shape() {
        return shape;
    }

    /** Takes a wider schema for all blocks to come. Called by the emitter only. */
    Shape widen(Schema wider) {
        Shape next = shape(wider, first.records);
        shape = next;
        return next;
    }

    BatchAssembler<RecordBatch> assembler(Shape of) {
        return new BatchAssembler<>(of.columns, spec.batches(), allocator, RecordBatch::of);
    }

    @Override
    public BlockDecoder<JsonlChunk> decoder() {
        return new JsonlDecoder(this);
    }

    @Override
    public BlockEmitter<JsonlChunk, RecordBatch> emitter() {
        return new JsonlEmitter(this);
    }

    /** A block that turns out to need a wider schema is decoded again. */
    @Override
    public boolean keepsBytes() {
        return spec.unexpected() == Unexpected.WIDEN;
    }

    /** Decodes a block again, with the schema as it is now. */
    JsonlChunk again(Block block) {
        return new JsonlDecoder(this).decode(block).values();
    }
}
