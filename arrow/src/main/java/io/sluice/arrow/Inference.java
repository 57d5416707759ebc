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

/**
 * Walks over records and notes what there is in them. Refused records are left out. Single-threaded.
 *
 * <p>What is noted of a record can't be taken back. So as long as all records are good, each is checked while it is noted, in one go;
 * the first that is refused has everything begin anew, and from there on each record is checked before anything of it is noted.
 */
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
    private InferredNode root = new InferredNode("");
    private boolean checksFirst;
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

    /** Walks over a block as a decoder does; the values are what was seen, all in all. */
    DecodedBlock<InferredNode> decode(Block block) {
        int count = walk(List.of(block), Long.MAX_VALUE);
        return lines.close(root, count);
    }

    /** Walks over blocks, up to so many records in all; answers how many of the last one's are good. */
    private int walk(List<Block> blocks, long maxRecords) {
        try {
            return walkOnce(blocks, maxRecords);
        } catch (JsonFailure | SluiceException e) {
            if (checksFirst) {
                throw e;
            }
            checksFirst = true;
            root = new InferredNode("");
            columns = 0;
            records = 0;
            return walkOnce(blocks, maxRecords);
        }
    }

    private int walkOnce(List<Block> blocks, long maxRecords) {
        int count = 0;
        for (Block block : blocks) {
            if (records >= maxRecords) {
                break;
            }
            lines.openPadded(block);
            count = 0;
            while (records < maxRecords && lines.nextStart()) {
                b = lines.bytes();
                text.bytes(b);
                if (record(lines.start())) {
                    records++;
                    count++;
                }
            }
        }
        return count;
    }

    /** Whether the record is good; where it is not, it has been refused, or nothing noted so far is to be used. */
    private boolean record(int p) {
        if (!checksFirst) {
            int end = JsonText.space(b, object(root, p, 1));
            if (b[end] != '\n' || !lines.endedAt(end)) {
                throw JsonFailure.expected("the line's end", b, end);
            }
            return true;
        }
        try {
            int end = JsonText.space(b, text.skip(p, 0));
            if (b[end] != '\n') {
                throw new JsonFailure(Kind.MALFORMED, "something follows the record's object", end);
            }
            if (b[p] != '{') {
                throw new JsonFailure(Kind.UNEXPECTED_TYPE, "the record is not an object", p);
            }
            if (!lines.endedAt(end)) {
                return false;
            }
        } catch (JsonFailure e) {
            reject(e);
            return false;
        }
        object(root, p, 1);
        return true;
    }

    private void reject(JsonFailure e) {
        Kind kind = e.kind() == Kind.MALFORMED ? lines.malformedAt(e.at()) : e.kind();
        lines.reject(kind, String.valueOf(e.getMessage()), e.at(), null);
    }

    private int object(InferredNode node, int p, int depth) {
        byte[] b = this.b;
        if (b[p] != '{') {
            throw JsonFailure.expected("'{'", b, p);
        }
        text.checkDepth(depth, p);
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
            p = value(f, JsonText.space(b, p), depth);
            p = JsonText.space(b, p);
            if (b[p] == '}') {
                return p + 1;
            }
            if (b[p] != ',') {
                throw JsonFailure.expected("',' or '}'", b, p);
            }
            p = JsonText.space(b, p + 1);
        }
    }

    private InferredNode key(InferredNode node, int slot, int p) {
        if (b[p] != '"') {
            throw JsonFailure.expected("a key", b, p);
        }
        int end = JsonText.space(b, text.slice(p + 1));
        if (b[end] != ':') {
            throw JsonFailure.expected("':'", b, end);
        }
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

    private int value(InferredNode f, int p, int depth) {
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
                return object(f, p, depth + 1);
            case '[':
                f.kinds |= InferredNode.LIST;
                return list(f.element(), p, depth + 1);
            case 't', 'f':
                f.kinds |= InferredNode.BOOL;
                return text.skip(p, depth);
            case 'N', 'I':
                f.kinds |= InferredNode.DECIMAL;
                return text.skip(p, depth);
            case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
                return number(f, p);
            default:
                return text.skip(p, depth); // a null, or a failure
        }
    }

    private int list(InferredNode item, int p, int depth) {
        text.checkDepth(depth, p);
        byte[] b = this.b;
        p = JsonText.space(b, p + 1);
        if (b[p] == ']') {
            return p + 1;
        }
        while (true) {
            p = JsonText.space(b, value(item, p, depth));
            if (b[p] == ']') {
                return p + 1;
            }
            if (b[p] != ',') {
                throw JsonFailure.expected("',' or ']'", b, p);
            }
            p = JsonText.space(b, p + 1);
        }
    }

    private int number(InferredNode f, int p) {
        if (b[p + 1] == 'I') { // -Infinity, or a failure
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
        inference.walk(sample, maxRecords);
        return new Schema(inference.root.toFields(rules));
    }

    /** What takes everything in a block that does not fit its reader's schema. */
    static Schema of(Block block, JsonlArrowReader reader, JsonlArrowReader.Shape shape) {
        return of(List.of(block), Long.MAX_VALUE, reader.limits, shape.rules(), reader.spec.inference());
    }
}
