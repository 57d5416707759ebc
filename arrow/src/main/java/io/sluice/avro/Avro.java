package io.sluice.avro;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.SluiceException;
import io.sluice.avro.internal.DatumReaders;
import io.sluice.avro.internal.HeaderFormat;
import io.sluice.avro.internal.MapReaders;
import io.sluice.avro.internal.MapWriters;
import io.sluice.avro.internal.RawValues;
import io.sluice.avro.internal.Resolution;
import io.sluice.avro.internal.ValueReader;
import io.sluice.codec.Encoder;
import io.sluice.codec.Output;
import io.sluice.format.Format;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import reactor.core.publisher.Mono;

/**
 * Formats for Avro object container files ({@code .avro}): specification 1.12, every schema and codec. Record batches of the same files are
 * {@code io.sluice.arrow.Arrow}'s.
 *
 * <p>A container block is a block of the pipeline, or several small ones are, so files are decoded in parallel, and resumed
 * at any record. What can't be read follows the {@link io.sluice.ErrorPolicy}: a record that is refused (invalid UTF-8, a union branch that
 * the reader's schema lacks), the rest of a block whose encoding breaks, a block that is damaged, a tail that is cut off, a
 * file without a readable header. The framer goes on at the next sync marker.
 */
public final class Avro {

    private static final int HEADER_BLOCK_BYTES = 4 << 10;

    private Avro() {}

    /** {@link #maps(AvroSpec)} with the defaults: reads every file as it was written. */
    public static Format<Map<String, Object>> maps() {
        return maps(AvroSpec.create());
    }

    /**
     * Records as maps in the order of the schema's fields, made for the subscriber alone. A file of anything but records
     * gives maps with the one key {@code value}.
     *
     * <p>null, Boolean, Integer, Long, Float, Double, String, {@code byte[]} (bytes, fixed), String (enum), List, Map; logical types become
     * BigDecimal (decimal, big-decimal), UUID, LocalDate, LocalTime, Instant (timestamps), LocalDateTime (local timestamps), {@link
     * org.apache.avro.util.TimePeriod} (duration), or stay what carries them by {@link AvroSpec#logicalValues}. Unknown and invalid logical
     * types are ignored, as the specification asks. A value that its logical type does not allow (more digits than the
     * precision, a time beyond the day) is a refused record.
     *
     * <p>Writing needs a {@linkplain AvroSpec#schema schema}, and takes what reading gives, and numbers of other types where they stay the
     * same. A missing key is the field's default, or null where the field can be null. A key that the schema lacks, a value that
     * fits no branch, digits that would be lost: a refused record.
     */
    public static Format<Map<String, Object>> maps(AvroSpec spec) {
        MapReaders.Logical logical = spec.logicalValues() == AvroSpec.LogicalValues.JAVA
                ? MapReaders.Logical.VALUES
                : MapReaders.Logical.BASE;
        return new AvroFormat<>(
                "avro maps", spec, (file, reader) -> mapReader(file.schema(), reader, logical), () -> mapEncoder(spec));
    }

    private static Encoder<Map<String, Object>> mapEncoder(AvroSpec spec) {
        Schema schema = spec.schema();
        if (schema == null) {
            throw new IllegalArgumentException("maps are written with a schema: give one by AvroSpec.schema");
        }
        MapWriters.ValueWriter writer = MapWriters.compile(schema);
        boolean wrapped = schema.getType() != Schema.Type.RECORD;
        return new ContainerEncoder<>(spec, schema, new ContainerEncoder.Values<>() {
            @Override
            public Schema schema(Map<String, Object> first) {
                return schema;
            }

            @Override
            public void write(Map<String, Object> value, Output out) {
                writer.write(wrapped ? MapReaders.unwrapped(value) : value, out);
            }
        });
    }

    private static ValueReader mapReader(Schema file, Schema reader, MapReaders.Logical logical) {
        ValueReader values = MapReaders.compile(file, reader, logical);
        return reader.getType() == Schema.Type.RECORD ? values : MapReaders.wrapped(values);
    }

    /** {@link #records(AvroSpec)} with the defaults: reads every file as it was written. */
    public static Format<GenericRecord> records() {
        return records(AvroSpec.create());
    }

    /**
     * Records as Avro's own generic ones, logical types as the types that carry them. Files of anything but records are an
     * error; {@link #maps()} reads those.
     *
     * <p>Files are written with the {@linkplain AvroSpec#schema given} schema, or the first record's own; records of
     * another are refused.
     */
    public static Format<GenericRecord> records(AvroSpec spec) {
        return new AvroFormat<GenericRecord>(
                "avro records",
                spec,
                (file, reader) -> {
                    onlyRecords(reader);
                    return new DatumReaders(
                            new GenericDatumReader<>(file.schema(), reader, Resolution.GENERIC),
                            Resolution.resolve(file.schema(), reader));
                },
                () -> new ContainerEncoder<GenericRecord>(
                        spec,
                        spec.schema(),
                        new DatumValues<GenericRecord>(
                                spec.schema(), schema -> new GenericDatumWriter<>(schema, Resolution.GENERIC))));
    }

    /** {@link #of(Class, AvroSpec)} with the defaults. */
    public static <T extends SpecificRecord> Format<T> of(Class<T> type) {
        return of(type, AvroSpec.create());
    }

    /**
     * Records as instances of a class that Avro's compiler generated; files are resolved to its schema, or to the given one.
     * Writing is done with the class's own schema.
     */
    public static <T extends SpecificRecord> Format<T> of(Class<T> type, AvroSpec spec) {
        SpecificData data = OwnClasses.of(type);
        AvroSpec own = spec.schema() == null ? spec.schema(data.getSchema(type)) : spec;
        return new AvroFormat<T>(
                "avro " + type.getSimpleName(),
                own,
                (file, reader) -> {
                    onlyRecords(reader);
                    return new DatumReaders(
                            new SpecificDatumReader<T>(file.schema(), reader, data),
                            Resolution.resolve(file.schema(), reader));
                },
                () -> {
                    Schema schema = data.getSchema(type);
                    if (own.schema() != null && !own.schema().equals(schema)) {
                        throw new IllegalArgumentException(
                                type.getName() + " is written with its own schema: " + schema);
                    }
                    return new ContainerEncoder<T>(
                            own, schema, new DatumValues<T>(schema, s -> new SpecificDatumWriter<>(s, data)));
                });
    }

    /**
     * Values as the bytes that encode them, checked and otherwise as they stand in the file, whatever their schema: for
     * tools that copy, repair or send on. Read as each file was written: neither a schema nor fields can be chosen. Writing needs a {@linkplain
     * AvroSpec#schema schema}, whose values the bytes must be.
     */
    public static Format<ByteBuffer> bytes(AvroSpec spec) {
        return new AvroFormat<>(
                "avro bytes",
                spec,
                (file, reader) -> {
                    if (!reader.equals(file.schema())) {
                        throw new SluiceException(
                                null,
                                -1,
                                -1,
                                "bytes are read as they were written, and the file's schema is not the one that is wanted",
                                null);
                    }
                    return RawValues.reader(file.schema());
                },
                () -> bytesEncoder(spec));
    }

    private static Encoder<ByteBuffer> bytesEncoder(AvroSpec spec) {
        Schema schema = spec.schema();
        if (schema == null) {
            throw new IllegalArgumentException("bytes are written with a schema: give one by AvroSpec.schema");
        }
        RawValues.Writer writer = new RawValues.Writer(schema);
        return new ContainerEncoder<>(spec, schema, new ContainerEncoder.Values<>() {
            @Override
            public Schema schema(ByteBuffer first) {
                return schema;
            }

            @Override
            public void write(ByteBuffer value, Output out) {
                writer.write(value, out);
            }
        });
    }

    /**
     * What the data set's first file says of itself: schema, codec, metadata. Cold; reads that file's header and no block, on
     * {@link ReadSpec#scheduler()}. Empty where the data set is.
     *
     * @throws SluiceException as a signal, where there is no such file or its header can't be read
     */
    public static Mono<AvroHeader> header(Dataset<?> dataset) {
        ReadSpec spec = ReadSpec.create()
                .parallelism(1)
                .prefetchBytes(1)
                .blockBytes(HEADER_BLOCK_BYTES)
                .limit(1);
        return dataset.as(new HeaderFormat(AvroSpec.create())).read(spec).next();
    }

    /** The schema that the data set's first file was written with: {@link #header}'s. */
    public static Mono<Schema> schema(Dataset<?> dataset) {
        return header(dataset).map(AvroHeader::schema);
    }

    private static void onlyRecords(Schema schema) {
        if (schema.getType() != Schema.Type.RECORD) {
            throw new SluiceException(
                    null,
                    -1,
                    -1,
                    "the file holds " + schema.getType().getName() + " values, not records; Avro.maps() reads them",
                    null);
        }
    }
}
