package io.sluice.avro;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.RecordBatch;
import io.sluice.codec.Output;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Types inside themselves, and logical types that are none. */
class AvroTypesTest {

    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingIsLeft() {
        allocator.close();
    }

    private static Schema parse(String text) {
        return new Schema.Parser().parse(text.replace('\'', '"'));
    }

    /** Fields and rows of a file. */
    private record Columns(List<Field> fields, List<String> rows) {}

    private Columns columns(byte[] file) {
        List<Field> fields = new ArrayList<>();
        List<String> rows = new ArrayList<>();
        Shard.Result<RecordBatch> result = Shard.read(Arrow.avro(allocator), file);
        assertThat(result.refused()).isEmpty();
        for (RecordBatch batch : result.values()) {
            try (batch) {
                fields.addAll(batch.schema().getFields());
                rows.addAll(ArrowText.rows(batch.root().getFieldVectors(), batch.rowCount()));
            }
        }
        return new Columns(fields, rows);
    }

    // ---- recursion --------------------------------------------------------------------------------------------------

    private static final Schema TREE = parse("""
            {'type':'record','name':'Node','fields':[
              {'name':'id','type':'int'},
              {'name':'label','type':['null','string']},
              {'name':'data','type':{'type':'bytes','logicalType':'decimal','precision':9,'scale':2}},
              {'name':'next','type':['null','Node']},
              {'name':'children','type':{'type':'array','items':'Node'}},
              {'name':'named','type':{'type':'map','values':'Node'}},
              {'name':'leaf','type':{'type':'record','name':'Leaf','fields':[
                {'name':'back','type':['null','Node','string']}]}}]}""");

    private static GenericRecord node(Random random, int depth) {
        GenericData.Record node = new GenericData.Record(TREE);
        node.put("id", random.nextInt());
        node.put("label", random.nextBoolean() ? null : "l\"\\\n" + random.nextInt(9));
        node.put("data", ByteBuffer.wrap(new byte[] {(byte) random.nextInt(), (byte) random.nextInt()}));
        node.put("next", depth == 0 || random.nextBoolean() ? null : node(random, depth - 1));
        List<Object> children = new ArrayList<>();
        Map<String, Object> named = new LinkedHashMap<>();
        for (int i = depth == 0 ? 0 : random.nextInt(3); i > 0; i--) {
            children.add(node(random, depth - 1));
            named.put("k" + i, node(random, 0));
        }
        node.put("children", children);
        node.put("named", named);
        GenericData.Record leaf = new GenericData.Record(TREE.getField("leaf").schema());
        leaf.put("back", random.nextInt(3) == 0 ? null : depth == 0 || random.nextBoolean() ? "text" : node(random, 0));
        node.put("leaf", leaf);
        return node;
    }

    @Test
    void recursiveValuesAreValuesInMapsAndJsonTextInColumns() throws Exception {
        List<GenericRecord> values = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            values.add(node(new Random(i), i % 5));
        }
        byte[] file = RandomAvro.file(TREE, values, CodecFactory.nullCodec(), 7);
        List<Object> oracle = AvroMapsTest.oracle(file);

        List<Map<String, Object>> maps = Shard.read(Avro.maps(), file).values();
        Columns columns = columns(file);

        AvroMapsTest.assertSame("maps", maps, oracle);
        Map<String, Field> fields = new LinkedHashMap<>();
        columns.fields.forEach(field -> fields.put(field.getName(), field));
        assertThat(List.of(
                        fields.get("next"),
                        fields.get("children").getChildren().get(0),
                        fields.get("named").getChildren().get(0).getChildren().get(1)))
                .allSatisfy(field -> {
                    assertThat(field.getType()).isEqualTo(ArrowType.Utf8.INSTANCE);
                    assertThat(field.getMetadata()).containsEntry("avro.type", "json");
                });
        assertThat(fields.get("next").isNullable()).isTrue();
        // the JSON is what Jackson makes of the values that Apache Avro reads
        ObjectMapper mapper = new ObjectMapper();
        int texts = 0;
        try (RecordBatch batch =
                Shard.only(Shard.read(Arrow.avro(allocator), file).values())) {
            for (int i = 0; i < values.size(); i++) {
                Object next = batch.root().getVector("next").getObject(i);
                Map<?, ?> row = (Map<?, ?>) oracle.get(i);
                assertThat(next == null).isEqualTo(row.get("next") == null);
                if (next != null) {
                    texts++;
                    assertThat(mapper.readTree(next.toString()))
                            .isEqualTo(mapper.readTree(mapper.writeValueAsString(plain(row.get("next")))));
                }
                List<?> children = (List<?>) batch.root().getVector("children").getObject(i);
                List<?> wanted = (List<?>) row.get("children");
                assertThat(children).hasSameSizeAs(wanted);
                for (int c = 0; c < wanted.size(); c++) {
                    texts++;
                    assertThat(mapper.readTree(children.get(c).toString()))
                            .isEqualTo(mapper.readTree(mapper.writeValueAsString(plain(wanted.get(c)))));
                }
            }
        }
        assertThat(texts).isGreaterThan(40);
    }

    /** What JSON has no value for, as the text that it is written as. */
    private static Object plain(Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> made = new LinkedHashMap<>();
            map.forEach((k, v) -> made.put((String) k, plain(v)));
            return made;
        }
        return value instanceof List<?> list
                ? list.stream().map(AvroTypesTest::plain).toList()
                : value;
    }

    @Test
    void aChainIsReadToAnyDepthThatNestingAllows() throws Exception {
        Schema chain = parse("{'type':'record','name':'C','fields':[{'name':'n','type':'int'},"
                + "{'name':'next','type':['null','C']}]}");
        GenericRecord value = null;
        for (int i = 0; i < 400; i++) {
            GenericData.Record link = new GenericData.Record(chain);
            link.put("n", i);
            link.put("next", value);
            value = link;
        }
        byte[] file = RandomAvro.file(chain, List.of(value), CodecFactory.nullCodec(), 1);

        AvroMapsTest.assertSame("chain", Shard.read(Avro.maps(), file).values(), AvroMapsTest.oracle(file));
        assertThat(columns(file).rows).hasSize(1);
        // deeper than the limit, and too deep for the writer above: refused, and no stack overflows
        Output links = new Output(1 << 16);
        for (int i = 0; i < 20_000; i++) {
            links.write(2); // the number 1
            links.write(2); // another link
        }
        links.write(2);
        links.write(0);
        byte[] deep = AvroFiles.of(chain.toString(), 1, Arrays.copyOf(links.array(), links.position()));
        assertThat(Shard.read(Avro.maps(), deep).refused()).hasSize(1);
        assertThat(Shard.read(Arrow.avro(allocator), deep).refused()).hasSize(1);
    }

    // ---- what other readers refuse, or make text of --------------------------------------------------------------

    /** The type of the first column is the text of Arrow's; the rows are what Apache Avro reads. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {'type':'array','items':'int'}                         | List
            {'type':'map','values':'string'}                       | Map(false)
            'long'                                                 | Int(64, true)
            'null'                                                 | Null
            {'type':'enum','name':'E','symbols':['A','B']}         | Utf8
            {'type':'fixed','name':'F','size':0}                   | Binary
            ['null','string']                                      | Utf8
            ['int','string',{'type':'array','items':'double'}]     | Union(Dense, [0, 1, 2])
            ['null','int','string']                                | Union(Dense, [0, 1, 2])
            {'type':'array','items':['int','string']}              | List
            {'type':'array','items':{'type':'record','name':'X','fields':[]}} | List
            """)
    void topLevelsOfAnyType(String text, String type) throws Exception {
        Schema schema = parse(text);
        List<Object> values = new ArrayList<>();
        for (int seed = 0; seed < 30; seed++) {
            values.add(new RandomAvro(seed).value(schema, 4));
        }
        byte[] file = RandomAvro.file(schema, values, CodecFactory.nullCodec(), 4);

        AvroMapsTest.assertSame(text, Shard.read(Avro.maps(), file).values(), AvroMapsTest.oracle(file));
        Columns columns = columns(file);
        Field value = Shard.only(columns.fields);
        assertThat(value.getName()).isEqualTo("value");
        assertThat(value.getType().toString()).isEqualTo(type);
        List<String> expected = new ArrayList<>();
        values.forEach(each -> expected.add(ArrowText.expectedRow(schema, columns.fields, each)));
        AvroMapsTest.assertSame(text, columns.rows, expected);
    }

    @Test
    void arraysOfUnionsAreListsOfUnions() {
        Schema schema = parse("{'type':'array','items':['int','string']}");
        byte[] file = RandomAvro.file(schema, List.of(List.of(1, "a"), List.of()), CodecFactory.nullCodec(), 2);

        Columns columns = columns(file);

        assertThat(Shard.only(columns.fields).getChildren().get(0).getType().toString())
                .isEqualTo("Union(Dense, [0, 1])");
        assertThat(columns.rows).containsExactly("value=[0:1, 1:'a']; ", "value=[]; ");
    }

    @Test
    void recordsWithoutFieldsAreRows() {
        Schema empty = parse("{'type':'record','name':'Empty','fields':[]}");
        List<Object> values = java.util.Collections.nCopies(10, new GenericData.Record(empty));
        byte[] file = RandomAvro.file(empty, values, CodecFactory.nullCodec(), 4);

        assertThat(Shard.read(Avro.maps(), file).values()).hasSize(10).containsOnly(Map.of());
        Columns columns = columns(file);
        assertThat(columns.fields).isEmpty();
        assertThat(columns.rows).hasSize(10);
    }

    /** A type that is used again is what it was the first time; only inside of itself it is text. */
    @Test
    void namedTypesThatAreUsedTwiceAreColumnsBothTimes() throws Exception {
        Schema schema = parse("""
                {'type':'record','name':'Trip','fields':[
                  {'name':'from','type':{'type':'record','name':'Place','namespace':'geo','fields':[
                    {'name':'x','type':'double'},{'name':'kind','type':{'type':'enum','name':'Kind','symbols':['A','B']}}]}},
                  {'name':'to','type':'geo.Place'},
                  {'name':'stops','type':{'type':'array','items':'geo.Place'}},
                  {'name':'kind','type':['null','geo.Kind']}]}""");
        List<Object> values = new ArrayList<>();
        for (int seed = 0; seed < 20; seed++) {
            values.add(new RandomAvro(seed).value(schema, 4));
        }
        byte[] file = RandomAvro.file(schema, values, CodecFactory.nullCodec(), 4);

        Columns columns = columns(file);

        Field from = columns.fields.get(0);
        assertThat(from.getType()).isEqualTo(ArrowType.Struct.INSTANCE);
        assertThat(columns.fields.get(1).getChildren()).isEqualTo(from.getChildren());
        assertThat(columns.fields.get(2).getChildren().get(0).getChildren()).isEqualTo(from.getChildren());
        assertThat(columns.fields.get(3).getMetadata()).containsEntry("avro.type", "enum");
        List<String> expected = new ArrayList<>();
        for (Object each : values) {
            expected.add(ArrowText.expectedRow(schema, columns.fields, each));
        }
        AvroMapsTest.assertSame("rows", columns.rows, expected);
        AvroMapsTest.assertSame("maps", Shard.read(Avro.maps(), file).values(), AvroMapsTest.oracle(file));
    }

    // ---- logical types that are none --------------------------------------------------------------------------------

    /** The type with an annotation that says nothing of it, and the type underneath. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {'type':'int','logicalType':'nothing-known'}                                   | 'int'
            {'type':'string','logicalType':'regexp','pattern':'x'}                         | 'string'
            {'type':'string','logicalType':'date'}                                         | 'string'
            {'type':'long','logicalType':'date'}                                           | 'long'
            {'type':'long','logicalType':'time-millis'}                                    | 'long'
            {'type':'int','logicalType':'time-micros'}                                     | 'int'
            {'type':'int','logicalType':'timestamp-millis'}                                | 'int'
            {'type':'double','logicalType':'timestamp-micros'}                             | 'double'
            {'type':'int','logicalType':'timestamp-nanos'}                                 | 'int'
            {'type':'int','logicalType':'local-timestamp-millis'}                          | 'int'
            {'type':'string','logicalType':'local-timestamp-micros'}                       | 'string'
            {'type':'long','logicalType':'uuid'}                                           | 'long'
            {'type':'fixed','name':'F','size':15,'logicalType':'uuid'}                     | {'type':'fixed','name':'F','size':15}
            {'type':'fixed','name':'F','size':11,'logicalType':'duration'}                 | {'type':'fixed','name':'F','size':11}
            {'type':'bytes','logicalType':'duration'}                                      | 'bytes'
            {'type':'bytes','logicalType':'decimal'}                                       | 'bytes'
            {'type':'bytes','logicalType':'decimal','precision':0}                         | 'bytes'
            {'type':'bytes','logicalType':'decimal','precision':-3}                        | 'bytes'
            {'type':'bytes','logicalType':'decimal','precision':4,'scale':5}               | 'bytes'
            {'type':'bytes','logicalType':'decimal','precision':4,'scale':-1}              | 'bytes'
            {'type':'bytes','logicalType':'decimal','precision':'many'}                    | 'bytes'
            {'type':'string','logicalType':'decimal','precision':4}                        | 'string'
            {'type':'fixed','name':'F','size':2,'logicalType':'decimal','precision':5}     | {'type':'fixed','name':'F','size':2}
            {'type':'bytes','logicalType':7}                                               | 'bytes'
            {'type':'array','items':'int','logicalType':'date'}                            | {'type':'array','items':'int'}
            """)
    void logicalTypesThatAreUnknownOrInvalidAreTheTypesUnderneath(String annotated, String base) throws Exception {
        String record = "{'type':'record','name':'R','fields':[{'name':'v','type':%s},{'name':'o','type':['null',%s]},"
                + "{'name':'l','type':{'type':'array','items':%s}}]}";
        boolean named = annotated.contains("'name'");
        Schema with = parse(record.formatted(annotated, named ? "'F'" : annotated, named ? "'F'" : annotated));
        Schema without = parse(record.formatted(base, named ? "'F'" : base, named ? "'F'" : base));
        List<Object> values = new ArrayList<>();
        for (int seed = 0; seed < 20; seed++) {
            values.add(new RandomAvro(seed).value(without, 4));
        }
        byte[] plain = RandomAvro.file(without, values, CodecFactory.nullCodec(), 3);
        // what stands in the header is all that differs; Apache's writer would not write every one of these
        byte[] file = AvroFiles.withSchema(plain, with.toString());

        Shard.Result<Map<String, Object>> maps = Shard.read(Avro.maps(), file);

        assertThat(maps.refused()).isEmpty();
        AvroMapsTest.assertSame(annotated, maps.values(), AvroMapsTest.oracle(plain));
        AvroMapsTest.assertSame(annotated, maps.values(), AvroMapsTest.oracle(file));
        Columns columns = columns(file);
        Columns expected = columns(plain);
        assertThat(columns.fields.stream().map(Field::toString))
                .isEqualTo(expected.fields.stream().map(Field::toString).toList());
        assertThat(columns.rows).isEqualTo(expected.rows).hasSize(20);
    }
}
