package io.sluice.arrow.internal.avro;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.ColumnPlan;
import io.sluice.arrow.internal.avro.Program.Domain;
import io.sluice.arrow.internal.avro.Program.Instruction;
import io.sluice.avro.internal.BadRecord;
import io.sluice.avro.internal.MapReaders;
import io.sluice.avro.internal.Resolution;
import io.sluice.avro.internal.Shape;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Resolver;
import org.apache.avro.Resolver.Action;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Compiles how a file's records become rows into programs. One for each worker and file schema. */
final class Compiler {

    private final Map<ColumnPlan, Integer> indexes = new IdentityHashMap<>();
    private final List<Program> programs = new ArrayList<>();
    private final List<Domain> domains = new ArrayList<>();
    private final Domain root;

    /** @param plans the columns of {@link ArrowTypes#schema} for the reader's schema */
    Compiler(Schema writer, Schema reader, List<ColumnPlan> plans) {
        index(plans);
        Action action = Resolution.resolve(writer, reader);
        List<Instruction> body = new ArrayList<>();
        if (reader.getType() == Schema.Type.RECORD && action.type == Action.Type.RECORD) {
            fields((Resolver.RecordAdjust) action, plans, body);
        } else if (reader.getType() == Schema.Type.RECORD) {
            // a union in the file, a record here: its fields are filled by whichever branch there is
            choice(action, plans, body);
        } else {
            value(action, plans.get(0), body);
        }
        List<Integer> all = new ArrayList<>();
        for (ColumnPlan plan : plans) {
            collect(plan, all);
        }
        this.root = domain(program(body), all, Shape.of(writer).minBytes());
    }

    /** The row that a record makes. */
    Domain root() {
        return root;
    }

    /** All domains, the root included. */
    List<Domain> domains() {
        return domains;
    }

    /** All programs, to be bound to a chunk's columns. */
    List<Program> programs() {
        return programs;
    }

    private void index(List<ColumnPlan> plans) {
        for (ColumnPlan plan : plans) {
            indexes.put(plan, indexes.size());
            index(plan.children);
        }
    }

    /** The columns of a chunk in the order that instructions count them in. */
    static Column[] flatten(Column[] columns) {
        List<Column> all = new ArrayList<>();
        flatten(columns, all);
        return all.toArray(new Column[0]);
    }

    private static void flatten(Column[] columns, List<Column> all) {
        for (Column column : columns) {
            all.add(column);
            flatten(column.children, all);
        }
    }

    private int at(ColumnPlan plan) {
        return java.util.Objects.requireNonNull(indexes.get(plan));
    }

    private Program program(List<Instruction> instructions) {
        Program program = new Program(instructions);
        programs.add(program);
        return program;
    }

    private Domain domain(Program program, List<Integer> columns, int minBytes) {
        Domain domain =
                new Domain(program, columns.stream().mapToInt(Integer::intValue).toArray(), minBytes);
        domains.add(domain);
        return domain;
    }

    private Domain domain(ColumnPlan plan, List<Instruction> body, int minBytes) {
        List<Integer> columns = new ArrayList<>();
        collect(plan, columns);
        return domain(program(body), columns, minBytes);
    }

    /** The columns that have the same row index as this one. A union keeps its own count. */
    private void collect(ColumnPlan plan, List<Integer> columns) {
        if (plan.layout == ColumnPlan.UNION) {
            return;
        }
        columns.add(at(plan));
        if (plan.layout == ColumnPlan.STRUCT) {
            for (ColumnPlan child : plan.children) {
                collect(child, columns);
            }
        }
    }

    private void fields(Resolver.RecordAdjust action, List<ColumnPlan> plans, List<Instruction> out) {
        int read = 0;
        for (Action field : action.fieldActions) {
            if (field.type == Action.Type.SKIP) {
                skip(field.writer, out);
            } else {
                value(field, plans.get(action.readerOrder[read++].pos()), out);
            }
        }
        for (int i = action.firstDefault; i < action.readerOrder.length; i++) {
            Schema.Field field = action.readerOrder[i];
            byte[] bytes = Resolution.defaultBytes(field, action.defaults[i - action.firstDefault]);
            ColumnPlan plan = plans.get(field.pos());
            List<Instruction> body = new ArrayList<>();
            value(Resolver.resolve(field.schema(), field.schema(), Resolution.GENERIC), plan, body);
            Program program = program(body);
            out.add(slow(plan, (machine, column, row, pos) -> {
                machine.constant(program, bytes, row);
                return pos;
            }));
        }
    }

    /** A record column of a file whose root is a union. */
    private void choice(Action action, List<ColumnPlan> plans, List<Instruction> out) {
        if (action instanceof Resolver.WriterUnion union) {
            Program[] branches = new Program[union.actions.length];
            for (int i = 0; i < branches.length; i++) {
                List<Instruction> body = new ArrayList<>();
                Action branch = unwrapped(union.actions[i]);
                if (branch instanceof Resolver.RecordAdjust record) {
                    fields(record, plans, body);
                } else {
                    body.add(refuse(String.valueOf(branch)));
                }
                branches[i] = program(body);
            }
            out.add(new Instruction(Program.CHOICE, Program.NO_UNION, -1, 0, branches));
        } else {
            out.add(refuse(String.valueOf(action)));
        }
    }

    private static Action unwrapped(Action action) {
        return action instanceof Resolver.ReaderUnion union ? unwrapped(union.actualAction) : action;
    }

    private static boolean isUnionColumn(Schema reader) {
        return reader.getType() == Schema.Type.UNION
                && reader.getTypes().size() > 1
                && ArrowTypes.nullable(reader) == null;
    }

    /** What reads one value into one row of a column. */
    private void value(Action action, ColumnPlan plan, List<Instruction> out) {
        if (ArrowTypes.JSON.equals(plan.field.getMetadata().get(ArrowTypes.NOTE))) {
            out.add(slow(plan, SlowReads.json(MapReaders.compile(action, MapReaders.Logical.VALUES))));
            return;
        }
        switch (action.type) {
            case WRITER_UNION -> {
                if (isUnionColumn(action.reader)) {
                    toUnion((Resolver.WriterUnion) action, plan, out);
                } else {
                    fromUnion((Resolver.WriterUnion) action, plan, out);
                }
            }
            case READER_UNION -> {
                Resolver.ReaderUnion union = (Resolver.ReaderUnion) action;
                if (isUnionColumn(action.reader)) {
                    out.add(new Instruction(
                            Program.INTO_UNION,
                            Program.NO_UNION,
                            at(plan),
                            union.firstMatch,
                            branch(union.actualAction, plan.children.get(union.firstMatch))));
                } else {
                    value(union.actualAction, plan, out);
                }
            }
            case ERROR -> out.add(refuse(String.valueOf(action)));
            case RECORD -> fields((Resolver.RecordAdjust) action, plan.children, out);
            case CONTAINER -> container((Resolver.Container) action, plan, out);
            case ENUM -> out.add(symbols((Resolver.EnumAdjust) action, plan));
            case DO_NOTHING, PROMOTE -> {
                String why = Resolution.logicalMismatch(action.writer, action.reader);
                out.add(why == null ? leaf(action.writer, action.reader, plan) : refuse(why));
            }
            default -> throw new IllegalStateException("unexpected " + action.type);
        }
    }

    private void toUnion(Resolver.WriterUnion union, ColumnPlan plan, List<Instruction> out) {
        Branch[] branches = new Branch[union.actions.length];
        for (int i = 0; i < branches.length; i++) {
            Action action = union.actions[i];
            if (action instanceof Resolver.ReaderUnion reader) {
                branches[i] = new Branch(
                        reader.firstMatch, branch(reader.actualAction, plan.children.get(reader.firstMatch)), null);
            } else if (union.unionEquiv && action.type != Action.Type.ERROR) {
                branches[i] = new Branch(i, branch(action, plan.children.get(i)), null);
            } else {
                branches[i] = new Branch(-1, null, String.valueOf(action));
            }
        }
        out.add(new Instruction(Program.UNION, Program.NO_UNION, at(plan), 0, branches));
    }

    /**
     * A branch of a union.
     *
     * @param child index of the column's child
     * @param domain what reads into it; null where the branch can't be taken
     */
    record Branch(
            int child, @Nullable Domain domain, @Nullable String refusal) {}

    private Domain branch(Action action, ColumnPlan plan) {
        List<Instruction> body = new ArrayList<>();
        value(action, plan, body);
        return domain(plan, body, Shape.of(action.writer).minBytes());
    }

    /** A union in the file, but not here: at most null and one type. */
    private void fromUnion(Resolver.WriterUnion union, ColumnPlan plan, List<Instruction> out) {
        List<List<Instruction>> bodies = new ArrayList<>();
        for (Action branch : union.actions) {
            Action action = unwrapped(branch);
            List<Instruction> body = new ArrayList<>();
            boolean isNull = action.type != Action.Type.ERROR && action.reader.getType() == Schema.Type.NULL;
            if (isNull && plan.layout != ColumnPlan.NULL) {
                body.add(Instruction.of(Program.SET_NULL, at(plan)));
            } else {
                value(action, plan, body);
            }
            bodies.add(body);
        }
        if (bodies.size() == 2) {
            int nullAt = isSetNull(bodies.get(0)) ? 0 : isSetNull(bodies.get(1)) ? 1 : -1;
            if (nullAt >= 0) {
                List<Instruction> other = bodies.get(1 - nullAt);
                out.add(orNull(other, nullAt, at(plan)));
                return;
            }
        }
        Program[] branches = bodies.stream().map(this::program).toArray(Program[]::new);
        out.add(new Instruction(Program.CHOICE, Program.NO_UNION, at(plan), 0, branches));
    }

    private static boolean isSetNull(List<Instruction> body) {
        return body.size() == 1 && body.get(0).code() == Program.SET_NULL;
    }

    /** The body, or null where the union index says so. The index is compared as the byte it is in the file. */
    private Instruction orNull(List<Instruction> body, int nullAt, int column) {
        int nullByte = nullAt << 1;
        if (body.size() == 1 && body.get(0).isPlain() && body.get(0).column() == column) {
            return body.get(0).orNull(nullByte);
        }
        return new Instruction(Program.NESTED, nullByte, column, 0, program(body));
    }

    private void container(Resolver.Container action, ColumnPlan plan, List<Instruction> out) {
        ColumnPlan elements = plan.children.get(0);
        List<Instruction> body = new ArrayList<>();
        int min;
        if (action.reader.getType() == Schema.Type.MAP) {
            body.add(Instruction.of(Program.STRING, at(elements.children.get(0))));
            value(action.elementAction, elements.children.get(1), body);
            min = 1 + Shape.of(action.writer.getValueType()).minBytes();
        } else {
            value(action.elementAction, elements, body);
            min = Shape.of(action.writer.getElementType()).minBytes();
        }
        out.add(new Instruction(Program.ARRAY, Program.NO_UNION, at(plan), 0, domain(elements, body, min)));
    }

    private Instruction symbols(Resolver.EnumAdjust action, ColumnPlan plan) {
        List<String> written = action.writer.getEnumSymbols();
        byte[] @Nullable [] symbols = new byte[written.size()][];
        for (int i = 0; i < symbols.length; i++) {
            int to = action.adjustments[i];
            symbols[i] = to < 0 ? null : action.reader.getEnumSymbols().get(to).getBytes(StandardCharsets.UTF_8);
        }
        return new Instruction(Program.ENUM, Program.NO_UNION, at(plan), 0, symbols);
    }

    private Instruction slow(ColumnPlan plan, SlowRead read) {
        return new Instruction(Program.SLOW, Program.NO_UNION, at(plan), 0, read);
    }

    private static Instruction refuse(String why) {
        SlowRead read = (machine, column, row, pos) -> {
            throw BadRecord.refused(Kind.UNEXPECTED_TYPE, why, null);
        };
        return new Instruction(Program.SLOW, Program.NO_UNION, -1, 0, read);
    }

    private Instruction leaf(Schema writer, Schema reader, ColumnPlan plan) {
        LogicalType logical = reader.getLogicalType();
        String name = logical == null ? "" : logical.getName();
        int column = at(plan);
        Schema.Type from = writer.getType();
        switch (reader.getType()) {
            case NULL:
                return Instruction.of(Program.NULL, column);
            case BOOLEAN:
                return Instruction.of(Program.BOOLEAN, column);
            case INT:
                return name.equals("time-millis")
                        ? slow(plan, SlowReads.timeMillis())
                        : Instruction.of(Program.INT, column);
            case LONG:
                if (name.equals("time-micros")) {
                    return slow(plan, SlowReads.timeMicros(from == Schema.Type.INT));
                }
                return Instruction.of(from == Schema.Type.INT ? Program.INT_TO_LONG : Program.LONG, column);
            case FLOAT:
                return Instruction.of(
                        switch (from) {
                            case INT -> Program.INT_TO_FLOAT;
                            case LONG -> Program.LONG_TO_FLOAT;
                            default -> Program.FLOAT;
                        },
                        column);
            case DOUBLE:
                return Instruction.of(
                        switch (from) {
                            case INT -> Program.INT_TO_DOUBLE;
                            case LONG -> Program.LONG_TO_DOUBLE;
                            case FLOAT -> Program.FLOAT_TO_DOUBLE;
                            default -> Program.DOUBLE;
                        },
                        column);
            case STRING:
                return name.equals("uuid") ? slow(plan, SlowReads.uuidText()) : Instruction.of(Program.STRING, column);
            case BYTES, FIXED:
                int size = reader.getType() == Schema.Type.FIXED ? reader.getFixedSize() : -1;
                if (logical instanceof LogicalTypes.Decimal decimal
                        && plan.layout == ColumnPlan.FIXED
                        && plan.width >= 16
                        && ArrowTypes.isDecimal(plan.field)) {
                    return slow(plan, SlowReads.decimal(size, decimal.getPrecision(), plan.width));
                }
                if (name.equals("duration") && size >= 0) {
                    return slow(plan, SlowReads.duration());
                }
                if (size == 0) {
                    return slow(plan, (machine, bytes, row, pos) -> {
                        Steps.putBytes(bytes, row, new byte[0], 0, 0);
                        return pos;
                    });
                }
                return size < 0
                        ? Instruction.of(Program.BYTES, column)
                        : new Instruction(Program.FIXED, Program.NO_UNION, column, size, null);
            default:
                throw new IllegalStateException("no leaf: " + reader);
        }
    }

    private void skip(Schema writer, List<Instruction> out) {
        switch (writer.getType()) {
            case NULL -> {}
            case RECORD -> {
                if (out.size() < 1 << 12 && !isOpen(writer)) {
                    skipping.add(writer);
                    for (Schema.Field field : writer.getFields()) {
                        skip(field.schema(), out);
                    }
                    skipping.remove(skipping.size() - 1);
                } else {
                    out.add(skipShape(writer));
                }
            }
            case BOOLEAN -> skipNumber(Program.SKIP_FIXED, 1, out);
            case FLOAT -> skipNumber(Program.SKIP_FIXED, 4, out);
            case DOUBLE -> skipNumber(Program.SKIP_FIXED, 8, out);
            case FIXED -> skipNumber(Program.SKIP_FIXED, writer.getFixedSize(), out);
            case INT, LONG, ENUM -> skipNumber(Program.SKIP_VARINT, 1, out);
            case STRING, BYTES -> out.add(Instruction.of(Program.SKIP_BYTES, -1));
            case UNION -> {
                Schema some = ArrowTypes.nullable(writer);
                List<Instruction> body = new ArrayList<>();
                if (some != null) {
                    skip(some, body);
                }
                if (body.size() == 1 && body.get(0).isPlain()) {
                    int nullAt = writer.getTypes().get(0).getType() == Schema.Type.NULL ? 0 : 1;
                    out.add(body.get(0).orNull(nullAt << 1));
                } else {
                    out.add(skipShape(writer));
                }
            }
            default -> out.add(skipShape(writer));
        }
    }

    private final List<Schema> skipping = new ArrayList<>();

    private boolean isOpen(Schema record) {
        return skipping.stream().anyMatch(open -> open == record);
    }

    private static Instruction skipShape(Schema writer) {
        return new Instruction(Program.SKIP, Program.NO_UNION, -1, 0, Shape.of(writer));
    }

    /** Skips of the same kind, one behind the other, are one. */
    private static void skipNumber(int code, int number, List<Instruction> out) {
        Instruction before = out.isEmpty() ? null : out.get(out.size() - 1);
        if (before != null
                && before.code() == code
                && before.isPlain()
                && before.number() <= Integer.MAX_VALUE - number) {
            out.set(out.size() - 1, new Instruction(code, Program.NO_UNION, -1, before.number() + number, null));
        } else {
            out.add(new Instruction(code, Program.NO_UNION, -1, number, null));
        }
    }
}
