package io.sluice.arrow;

import io.sluice.RecordException.Kind;
import io.sluice.SluiceException;
import io.sluice.codec.Block;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.Lines;
import io.sluice.internal.json.NumberScanner;
import io.sluice.internal.json.Words;
import java.util.List;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Schema;

/** Walks over records and notes what there is in them. Refused records are left out. Single-threaded. */
final class Inference {

    /** The most places that a schema may have: data with arbitrary keys must not make columns without end. */
    static final int MAX_COLUMNS = 20_000;

    static final String TOO_MANY_KEYS = "there are more than " + MAX_COLUMNS + " different keys:"
            + " give a schema, in which objects with arbitrary keys are maps";

    private static final ArrowType OFFSET = new ArrowType.Timestamp(TimeUnit.NANOSECOND, "UTC");
    private static final ArrowType LOCAL = new ArrowType.Timestamp(TimeUnit.NANOSECOND, null);
    private static final ArrowType DATE = new ArrowType.Date(org.apache.arrow.vector.types.DateUnit.DAY);
    private static final ArrowType TIME = new ArrowType.Time(TimeUnit.NANOSECOND, 64);
    private static final InferredNode NO_NODE = new InferredNode("");

    private final InferenceRules rules;
    private final Lines lines;
    private final JsonText text;
    private final Temporals temporals;
    private final InferredNode root = new InferredNode("");
    private byte[] b = {};
    private int after;
    private int columns;
    private long records;

    Inference(ReadLimits limits, JsonRules json, InferenceRules rules) {
        this.rules = rules;
        this.lines = new Lines(limits);
        this.text = new JsonText(json.maxNesting(), json.maxNumberDigits(), json.nonFinite());
        this.temporals = new Temporals(rules.patterns());
    }

    /** Records seen, refused ones not counted. */
    long records() {
        return records;
    }

    InferredNode root() {
        return root;
    }

    /** What takes everything seen. */
    Schema schema() {
        return new Schema(root.toFields(rules));
    }

    /** Walks over a block, up to so many records in all. */
    void add(Block block, long maxRecords) {
        walk(block, maxRecords);
    }

    /** Walks over a block as a decoder does; the values are what was seen, all in all. */
    DecodedBlock<InferredNode> decode(Block block) {
        int count = walk(block, Long.MAX_VALUE);
        return lines.close(root, count);
    }

    private int walk(Block block, long maxRecords) {
        lines.openPadded(block);
        int count = 0;
        while (lines.nextStart()) {
            if (records >= maxRecords) {
                return count;
            }
            b = lines.bytes();
            text.bytes(b);
            int p = lines.start();
            try {
                int end = JsonText.space(b, text.skip(p, 0));
                if (b[p] == '{' && b[end] == '\n') {
                    if (lines.endedAt(end)) {
                        object(root, p);
                        records++;
                        count++;
                    }
                    continue;
                }
                reject(
                        b[end] == '\n'
                                ? new JsonFailure(Kind.UNEXPECTED_TYPE, "the record is not an object", p)
                                : new JsonFailure(Kind.MALFORMED, "something follows the record's object", end));
            } catch (JsonFailure e) {
                reject(e);
            }
        }
        return count;
    }

    private void reject(JsonFailure e) {
        Kind kind = e.kind() == Kind.MALFORMED ? lines.malformedAt(e.at()) : e.kind();
        lines.reject(kind, String.valueOf(e.getMessage()), e.at(), null);
    }

    /** The record is known to be good: only what is there is of interest. */
    private int object(InferredNode node, int p) {
        byte[] b = this.b;
        p = JsonText.space(b, p + 1);
        if (b[p] == '}') {
            return p + 1;
        }
        int slot = 0;
        while (true) {
            KeyNode[] fields = node.fields;
            int guess = node.next[slot];
            InferredNode f = guess < fields.length ? (InferredNode) fields[guess] : NO_NODE;
            if (((Words.load(b, p) ^ f.head) & f.headMask) == 0
                    && f.keyLength != 0
                    && (f.keyLength <= 8 || f.restMatches(b, p))) {
                p += f.keyLength;
            } else {
                f = key(node, slot, p);
                p = after;
            }
            slot = f.slot;
            p = value(f, JsonText.space(b, p));
            p = JsonText.space(b, p);
            if (b[p] == '}') {
                return p + 1;
            }
            p = JsonText.space(b, p + 1);
        }
    }

    private InferredNode key(InferredNode node, int slot, int p) {
        int end = JsonText.space(b, text.slice(p + 1));
        after = end + 1;
        InferredNode f = (InferredNode) node.find(text.sliceBytes, text.sliceFrom, text.sliceTo);
        if (f == null) {
            if (++columns > MAX_COLUMNS) {
                throw new SluiceException(null, -1, -1, TOO_MANY_KEYS, null);
            }
            f = node.child(new String(
                    text.sliceBytes,
                    text.sliceFrom,
                    text.sliceTo - text.sliceFrom,
                    java.nio.charset.StandardCharsets.UTF_8));
        }
        node.next[slot] = f.slot - 1;
        return f;
    }

    private int value(InferredNode f, int p) {
        byte[] b = this.b;
        switch (b[p]) {
            case '"':
                f.kinds |= InferredNode.STRING;
                if (rules.timestamps() && f.temporal != 0) {
                    int end = text.slice(p + 1);
                    temporal(f);
                    return end;
                }
                return text.skipString(p + 1);
            case '{':
                f.kinds |= InferredNode.OBJECT;
                return object(f, p);
            case '[':
                f.kinds |= InferredNode.LIST;
                return list(f.element(), p);
            case 't':
                f.kinds |= InferredNode.BOOL;
                return p + 4;
            case 'f':
                f.kinds |= InferredNode.BOOL;
                return p + 5;
            case 'n':
                return p + 4;
            default:
                return number(f, p);
        }
    }

    private int list(InferredNode item, int p) {
        byte[] b = this.b;
        p = JsonText.space(b, p + 1);
        if (b[p] == ']') {
            return p + 1;
        }
        while (true) {
            p = JsonText.space(b, value(item, p));
            if (b[p] == ']') {
                return p + 1;
            }
            p = JsonText.space(b, p + 1);
        }
    }

    private int number(InferredNode f, int p) {
        if (text.isNonFinite(p)) {
            f.kinds |= InferredNode.DECIMAL;
            return text.skip(p, 0);
        }
        NumberScanner numbers = text.numbers;
        switch (numbers.scan(b, p)) {
            case NumberScanner.LONG -> f.integer(numbers.integer);
            case NumberScanner.BIG_INTEGER -> {
                f.kinds |= InferredNode.INTEGER;
                f.bigDigits = Math.max(f.bigDigits, numbers.end - p - (b[p] == '-' ? 1 : 0));
            }
            default -> {
                f.kinds |= InferredNode.DECIMAL;
                if (rules.decimals()) {
                    digits(f, p, numbers.end, numbers.exponent);
                }
            }
        }
        return numbers.end;
    }

    private void digits(InferredNode f, int from, int to, int exponent) {
        int before = 0;
        int behind = 0;
        boolean point = false;
        for (int p = from; p < to && (b[p] | 0x20) != 'e'; p++) {
            if (b[p] == '.') {
                point = true;
            } else if (b[p] != '-') {
                before += point ? 0 : 1;
                behind += point ? 1 : 0;
            }
        }
        int shift = Math.max(-1000, Math.min(1000, exponent));
        f.integerDigits = Math.max(f.integerDigits, before + shift);
        f.fractionDigits = Math.max(f.fractionDigits, behind - shift);
    }

    private void temporal(InferredNode f) {
        byte[] s = text.sliceBytes;
        int from = text.sliceFrom;
        int to = text.sliceTo;
        int still = 0;
        still |= temporalIf(f, InferredNode.OFFSET_TIMESTAMP, OFFSET, s, from, to);
        still |= temporalIf(f, InferredNode.LOCAL_TIMESTAMP, LOCAL, s, from, to);
        still |= temporalIf(f, InferredNode.DATE, DATE, s, from, to);
        still |= temporalIf(f, InferredNode.TIME, TIME, s, from, to);
        f.temporal = still;
    }

    private int temporalIf(InferredNode f, int flag, ArrowType type, byte[] s, int from, int to) {
        if ((f.temporal & flag) == 0 || !temporals.read(type, s, from, to)) {
            return 0;
        }
        f.nanos |= flag != InferredNode.DATE && temporals.value() % 1000 != 0;
        return flag;
    }

    /** What takes everything in a sample. */
    static Schema of(List<Block> sample, long maxRecords, ReadLimits limits, JsonRules json, InferenceRules rules) {
        Inference inference = new Inference(limits, json, rules);
        for (Block block : sample) {
            if (inference.records() >= maxRecords) {
                break;
            }
            inference.add(block, maxRecords);
        }
        return inference.schema();
    }

    /** What takes everything in a block that does not fit its reader's schema. */
    static Schema of(Block block, JsonlArrowReader reader, JsonlArrowReader.Shape shape) {
        return of(List.of(block), Long.MAX_VALUE, reader.limits, shape.rules(), reader.spec.inference());
    }
}
