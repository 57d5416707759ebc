package io.sluice.avro.internal;

import io.sluice.SluiceException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.IdentityHashMap;
import java.util.Map;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Resolver;
import org.apache.avro.Resolver.Action;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/**
 * Schema resolution (specification 1.12, "Schema Resolution"): the decisions are Avro's own {@link Resolver}'s, so that no file
 * reads differently here; what it leaves open, decimals of different scale and instants of different unit, is refused.
 */
public final class Resolution {

    /** Conversions are made elsewhere, so none are known here. */
    public static final GenericData GENERIC = new GenericData();

    private Resolution() {}

    /**
     * How values written with one schema become values of another.
     *
     * @throws SluiceException where no value can
     */
    public static Action resolve(Schema writer, Schema reader) {
        Action action;
        try {
            action = Resolver.resolve(writer, reader, GENERIC);
        } catch (RuntimeException | StackOverflowError e) {
            throw new SluiceException(null, -1, -1, "the file's schema can't be resolved to the reader's: " + e, e);
        }
        String why = mismatch(action, "", new IdentityHashMap<>());
        if (why != null) {
            throw new SluiceException(null, -1, -1, "the file's schema does not fit the reader's" + why, null);
        }
        return action;
    }

    /** Why no value can be read, or null: looks where every value must pass, so not into unions, arrays and maps. */
    private static @org.jspecify.annotations.Nullable String mismatch(
            Action action, String path, Map<Action, Boolean> seen) {
        if (seen.put(action, true) != null) {
            return null;
        }
        String at = path.isEmpty() ? ": " : " at '" + path.substring(1) + "': ";
        switch (action.type) {
            case ERROR:
                return at + action;
            case RECORD:
                Resolver.RecordAdjust record = (Resolver.RecordAdjust) action;
                for (int i = 0; i < record.fieldActions.length; i++) {
                    String name = action.writer.getFields().get(i).name();
                    String why = mismatch(record.fieldActions[i], path + "." + name, seen);
                    if (why != null) {
                        return why;
                    }
                }
                return null;
            case READER_UNION:
                return mismatch(((Resolver.ReaderUnion) action).actualAction, path, seen);
            case DO_NOTHING, PROMOTE:
                String why = logicalMismatch(action.writer, action.reader);
                return why == null ? null : at + why;
            default:
                return null;
        }
    }

    /** Why the two logical types can't stand for each other, or null. */
    public static @org.jspecify.annotations.Nullable String logicalMismatch(Schema writer, Schema reader) {
        LogicalType w = writer.getLogicalType();
        LogicalType r = reader.getLogicalType();
        if (w == null || r == null) {
            return null;
        }
        if (w instanceof LogicalTypes.Decimal from && r instanceof LogicalTypes.Decimal to) {
            return from.getScale() == to.getScale()
                    ? null
                    : "decimals of scale " + from.getScale() + " can't be read as decimals of scale " + to.getScale();
        }
        boolean differ = !w.getName().equals(r.getName()) && isTime(w) && isTime(r);
        return differ ? w.getName() + " can't be read as " + r.getName() : null;
    }

    private static boolean isTime(LogicalType type) {
        return type.getName().startsWith("time")
                || type.getName().startsWith("local-time")
                || type.getName().equals("date");
    }

    /** Whether bytes are read as strings anywhere: then they must be looked at, being no text by their type. */
    static boolean readsBytesAsText(Action action) {
        return readsBytesAsText(action, new IdentityHashMap<>());
    }

    private static boolean readsBytesAsText(Action action, Map<Action, Boolean> seen) {
        if (seen.put(action, true) != null) {
            return false;
        }
        if (action.type == Action.Type.PROMOTE) {
            return action.writer.getType() == Schema.Type.BYTES && action.reader.getType() == Schema.Type.STRING;
        }
        Action[] below = {};
        if (action instanceof Resolver.RecordAdjust record) {
            below = record.fieldActions;
        } else if (action instanceof Resolver.Container container) {
            below = new Action[] {container.elementAction};
        } else if (action instanceof Resolver.WriterUnion union) {
            below = union.actions;
        } else if (action instanceof Resolver.ReaderUnion union) {
            below = new Action[] {union.actualAction};
        }
        for (Action each : below) {
            if (readsBytesAsText(each, seen)) {
                return true;
            }
        }
        return false;
    }

    /** The default of a reader's field in binary form. */
    public static byte[] defaultBytes(Schema.Field field, Object value) {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
            new GenericDatumWriter<Object>(field.schema(), GENERIC).write(value, encoder);
            encoder.flush();
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            throw new SluiceException(
                    null,
                    -1,
                    -1,
                    "the default of the reader's field '" + field.name() + "' does not fit its type: " + e,
                    e);
        }
    }
}
