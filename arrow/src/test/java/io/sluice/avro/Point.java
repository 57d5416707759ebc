package io.sluice.avro;

import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;

/** As Avro's compiler would generate it, by hand: what {@link Avro#of} is for. */
public final class Point extends SpecificRecordBase {

    private static final long serialVersionUID = 1L;

    public static final Schema SCHEMA$ = new Schema.Parser().parse("""
                    {"type":"record","name":"Point","namespace":"io.sluice.avro","fields":[
                      {"name":"x","type":"int"},
                      {"name":"label","type":["null",{"type":"string","avro.java.string":"String"}],"default":null}]}""");

    private int x;
    private CharSequence label;

    public Point() {}

    public Point(int x, CharSequence label) {
        this.x = x;
        this.label = label;
    }

    @Override
    public Schema getSchema() {
        return SCHEMA$;
    }

    @Override
    public Object get(int field) {
        return field == 0 ? (Object) x : label;
    }

    @Override
    public void put(int field, Object value) {
        if (field == 0) {
            x = (Integer) value;
        } else {
            label = (CharSequence) value;
        }
    }
}
