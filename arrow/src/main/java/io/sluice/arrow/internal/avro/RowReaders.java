package io.sluice.arrow.internal.avro;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes a class of a program: one call of {@link Steps} after the other, without a loop, a switch or a branch of its own. The compiler
 * inlines the calls, so every column gets machine code of its own whose branches (null or not, one byte or two) the processor
 * predicts apart; measured, that is a quarter faster than the loop over instructions.
 *
 * <p>The class file is written by hand because it needs so little: few kinds of constants and instructions, and no stack maps but such
 * as say that nothing has changed. The class is hidden: it goes when its reader does. Where a runtime does not
 * allow that, the loop does the work.
 */
final class RowReaders {

    /**
     * Bytes of code after which a method ends. What is inlined into one must stay within the compiler's bounds; and it is itself
     * longer than what the compiler inlines (325 bytes), so that it is compiled once, and not again with each that calls it.
     */
    private static final int METHOD_BYTES = 330;

    /** Skipped unions, one behind the other, that are worth a look whether all are null. */
    private static final int MIN_RUN = 3;

    /** Of those, the most that are looked at together: jumps are short. */
    private static final int MAX_RUN = 64;

    /** Bytes that are skipped without asking whether they are there: the record's end is checked. */
    private static final int MAX_UNCHECKED = 64;

    /** Skipped numbers, one behind the other, from which on a loop over words beats one look at each. */
    private static final int MIN_LOOP = 16;

    /** Longer programs are left to the loop. */
    private static final int MAX_INSTRUCTIONS = 4000;

    private static final String PACKAGE = "io/sluice/arrow/internal/avro/";
    private static final String NAME = PACKAGE + "MadeRowReader";
    private static final String STEPS = PACKAGE + "Steps";
    private static final String MACHINE = PACKAGE + "Machine";
    private static final String COLUMN = "io/sluice/arrow/internal/Column";
    private static final String PROGRAM = PACKAGE + "Program";
    private static final String READ_TYPE = "(L" + MACHINE + ";[B[L" + COLUMN + ";L" + PROGRAM + ";II)I";
    private static final String STEP_TYPE = "(L" + MACHINE + ";[BL" + COLUMN + ";III)I";
    private static final String ARRAY_TYPE = "(L" + MACHINE + ";[BL" + COLUMN + ";IIL" + PROGRAM + ";I)I";
    private static final String SKIP_TYPE = "([BI)I";
    private static final String SKIP_MANY_TYPE = "([BII)I";
    private static final String SKIP_OR_NULL_TYPE = "(L" + MACHINE + ";[BII)I";
    private static final String SKIP_BYTES_TYPE = "(L" + MACHINE + ";[BI[II)I";
    private static final String SKIP_BYTES_OR_NULL_TYPE = "(L" + MACHINE + ";[BII[II)I";
    private static final String ARE_NULL_TYPE = "([BIII)Z";
    private static final String ANY_TYPE = "(L" + PROGRAM + ";III)I";

    // the instructions used, and where read() has its arguments
    private static final int ALOAD = 25;
    private static final int ILOAD = 21;
    private static final int ISTORE = 54;
    private static final int SIPUSH = 17;
    private static final int AALOAD = 50;
    private static final int IADD = 96;
    private static final int IFEQ = 153;
    private static final int GOTO = 167;
    private static final int GETFIELD = 180;
    private static final int IRETURN = 172;
    private static final int RETURN = 177;
    private static final int INVOKESTATIC = 184;
    private static final int INVOKEVIRTUAL = 182;
    private static final int INVOKESPECIAL = 183;
    private static final int MACHINE_AT = 0;
    private static final int BUF_AT = 1;
    private static final int COLUMNS_AT = 2;
    private static final int PROGRAM_AT = 3;
    private static final int ROW_AT = 4;
    private static final int POS_AT = 5;

    /** Programs whose readers are kept. */
    private static final int MAX_KEPT = 256;

    /**
     * Readers by what they do, those not asked for the longest go first. A reader has no state, so all workers and all reads of files with the
     * same schema share it: a class of one's own would be interpreted at first and compiled again, every time.
     */
    private static final Map<List<Integer>, RowReader> KEPT = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<List<Integer>, RowReader> eldest) {
            return size() > MAX_KEPT;
        }
    };

    private final ByteArrayOutputStream pool = new ByteArrayOutputStream();
    private final DataOutputStream constants = new DataOutputStream(pool);
    private final Map<String, Integer> indexes = new LinkedHashMap<>();
    private int nextIndex = 1;

    private RowReaders() {}

    /** A reader for programs equal to this one, or null where the loop has to do. */
    static @Nullable RowReader make(Program program) {
        if (program.codes.length < 2 || program.codes.length > MAX_INSTRUCTIONS) {
            return null;
        }
        List<Integer> key = new ArrayList<>(3 * program.codes.length);
        for (int i = 0; i < program.codes.length; i++) {
            key.add(program.codes[i]);
            key.add(program.nulls[i]);
            key.add(program.numbers[i]);
        }
        synchronized (KEPT) {
            RowReader kept = KEPT.get(key);
            if (kept == null) {
                kept = define(program);
                if (kept != null) {
                    KEPT.put(key, kept);
                }
            }
            return kept;
        }
    }

    private static @Nullable RowReader define(Program program) {
        try {
            byte[] file = new RowReaders().classFile(program);
            Class<?> made = MethodHandles.lookup().defineHiddenClass(file, true).lookupClass();
            return (RowReader) made.getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException | LinkageError | UnsupportedOperationException | SecurityException e) {
            return null;
        }
    }

    private byte[] classFile(Program program) {
        try {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(body);
            List<Part> parts = parts(program);
            out.writeShort(0x0010 | 0x0020); // final, super
            out.writeShort(type(NAME));
            out.writeShort(type(PACKAGE + "RowReader"));
            out.writeShort(0); // interfaces
            out.writeShort(0); // fields
            out.writeShort(2 + parts.size());
            method(out, 0, "<init>", "()V", 1, new Part().returning(RETURN, this::constructor));
            method(out, 0, "read", READ_TYPE, 7, new Part().returning(IRETURN, code -> {
                        for (int part = 0; part < parts.size(); part++) {
                            // read() has itself before its arguments
                            for (int i = MACHINE_AT; i <= POS_AT; i++) {
                                op(code, i < ROW_AT ? ALOAD : ILOAD, i + 1);
                            }
                            invoke(code, INVOKESTATIC, NAME, "part" + part, READ_TYPE);
                            op(code, ISTORE, POS_AT + 1);
                        }
                        op(code, ILOAD, POS_AT + 1);
                    }));
            for (int part = 0; part < parts.size(); part++) {
                method(out, 0x0008, "part" + part, READ_TYPE, 6, parts.get(part));
            }
            out.writeShort(0); // attributes
            ByteArrayOutputStream file = new ByteArrayOutputStream();
            DataOutputStream head = new DataOutputStream(file);
            head.writeInt(0xCAFEBABE);
            head.writeShort(0);
            head.writeShort(61); // Java 17
            head.writeShort(nextIndex);
            head.write(pool.toByteArray());
            head.write(body.toByteArray());
            return file.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void constructor(DataOutputStream out) throws IOException {
        op(out, ALOAD, 0);
        invoke(out, INVOKESPECIAL, PACKAGE + "RowReader", "<init>", "()V");
    }

    /** A method's code, and where in it jumps lead to. */
    private static final class Part {

        private interface Writer {
            void write(DataOutputStream out) throws IOException;
        }

        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        final DataOutputStream code = new DataOutputStream(bytes);
        final List<Integer> targets = new ArrayList<>();

        Part returning(int with, Writer writer) throws IOException {
            writer.write(code);
            code.writeByte(with);
            return this;
        }

        void target() {
            if (targets.isEmpty() || targets.get(targets.size() - 1) != bytes.size()) {
                targets.add(bytes.size());
            }
        }
    }

    private List<Part> parts(Program program) throws IOException {
        List<Part> parts = new ArrayList<>();
        int i = 0;
        while (i < program.codes.length) {
            Part part = new Part();
            while (i < program.codes.length && part.bytes.size() < METHOD_BYTES) {
                int run = skippedUnions(program, i);
                if (run < MIN_RUN) {
                    step(part.code, program, i++);
                    op(part.code, ISTORE, POS_AT);
                } else {
                    skipRun(part, program, i, run);
                    i += run;
                }
            }
            op(part.code, ILOAD, POS_AT);
            part.code.writeByte(IRETURN);
            parts.add(part);
        }
        return parts;
    }

    /** How many instructions from {@code i} on skip a union of null and something, null being the same index in all. */
    private static int skippedUnions(Program program, int i) {
        int end = i;
        while (end < program.codes.length
                && end - i < MAX_RUN
                && program.nulls[end] != Program.NO_UNION
                && program.nulls[end] == program.nulls[i]
                && (program.codes[end] == Program.SKIP_VARINT
                        || program.codes[end] == Program.SKIP_FIXED
                        || program.codes[end] == Program.SKIP_BYTES)) {
            end++;
        }
        return end - i;
    }

    /** {@code if (areNull(…)) pos += run; else …} */
    private void skipRun(Part part, Program program, int i, int run) throws IOException {
        Part steps = new Part();
        for (int k = i; k < i + run; k++) {
            step(steps.code, program, k);
            op(steps.code, ISTORE, POS_AT);
        }
        DataOutputStream out = part.code;
        op(out, ALOAD, BUF_AT);
        op(out, ILOAD, POS_AT);
        push(out, run);
        push(out, program.nulls[i]);
        invoke(out, INVOKESTATIC, STEPS, "areNull", ARE_NULL_TYPE);
        jump(out, IFEQ, 3 + 2 + 3 + 1 + 2 + 3);
        op(out, ILOAD, POS_AT);
        push(out, run);
        out.writeByte(IADD);
        op(out, ISTORE, POS_AT);
        jump(out, GOTO, 3 + steps.bytes.size());
        part.target();
        out.write(steps.bytes.toByteArray());
        part.target();
    }

    private static void jump(DataOutputStream out, int code, int by) throws IOException {
        out.writeByte(code);
        out.writeShort(by);
    }

    private void step(DataOutputStream out, Program program, int i) throws IOException {
        boolean orNull = program.nulls[i] != Program.NO_UNION;
        int number = program.numbers[i];
        switch (program.codes[i]) {
            case Program.INT -> typed(out, i, orNull ? "readIntOrNull" : "readInt", program.nulls[i]);
            case Program.LONG -> typed(out, i, orNull ? "readLongOrNull" : "readLong", program.nulls[i]);
            case Program.DOUBLE -> typed(out, i, orNull ? "readDoubleOrNull" : "readDouble", program.nulls[i]);
            case Program.STRING -> typed(out, i, orNull ? "readStringOrNull" : "readString", program.nulls[i]);
            case Program.FLOAT -> typed(out, i, orNull ? "readFloatOrNull" : "readFloat", program.nulls[i]);
            case Program.BOOLEAN -> typed(out, i, orNull ? "readBooleanOrNull" : "readBoolean", program.nulls[i]);
            case Program.ARRAY -> {
                if (orNull) {
                    any(out, i);
                } else {
                    column(out, i);
                    op(out, ALOAD, PROGRAM_AT);
                    push(out, i);
                    invoke(out, INVOKESTATIC, STEPS, "readArray", ARRAY_TYPE);
                }
            }
            case Program.SKIP_VARINT -> skipVarints(out, program.nulls[i], number, i);
            case Program.SKIP_FIXED -> {
                if (orNull || number > MAX_UNCHECKED) {
                    any(out, i);
                } else {
                    op(out, ILOAD, POS_AT);
                    push(out, number);
                    out.writeByte(IADD);
                }
            }
            case Program.SKIP_BYTES -> {
                op(out, ALOAD, MACHINE_AT);
                op(out, ALOAD, BUF_AT);
                op(out, ILOAD, POS_AT);
                if (orNull) {
                    push(out, program.nulls[i]);
                }
                op(out, ALOAD, PROGRAM_AT);
                out.writeByte(GETFIELD);
                out.writeShort(member(9, PROGRAM, "lengths", "[I"));
                push(out, i);
                invoke(
                        out,
                        INVOKESTATIC,
                        STEPS,
                        orNull ? "skipBytesOrNull" : "skipBytes",
                        orNull ? SKIP_BYTES_OR_NULL_TYPE : SKIP_BYTES_TYPE);
            }
            default -> any(out, i);
        }
    }

    private void skipVarints(DataOutputStream out, int nullByte, int count, int i) throws IOException {
        if (nullByte != Program.NO_UNION) {
            op(out, ALOAD, MACHINE_AT);
            op(out, ALOAD, BUF_AT);
            op(out, ILOAD, POS_AT);
            push(out, nullByte);
            invoke(out, INVOKESTATIC, STEPS, "skipVarintOrNull", SKIP_OR_NULL_TYPE);
        } else if (count > Short.MAX_VALUE) {
            any(out, i);
        } else if (count >= MIN_LOOP) {
            op(out, ALOAD, BUF_AT);
            op(out, ILOAD, POS_AT);
            push(out, count);
            invoke(out, INVOKESTATIC, STEPS, "skipVarints", SKIP_MANY_TYPE);
        } else {
            for (int k = 0; k < count; k++) {
                if (k > 0) {
                    op(out, ISTORE, POS_AT);
                }
                op(out, ALOAD, BUF_AT);
                op(out, ILOAD, POS_AT);
                invoke(out, INVOKESTATIC, STEPS, "skipVarint", SKIP_TYPE);
            }
        }
    }

    /** Pushes the machine, the bytes, the instruction's column, the row and the position. */
    private void column(DataOutputStream out, int i) throws IOException {
        op(out, ALOAD, MACHINE_AT);
        op(out, ALOAD, BUF_AT);
        op(out, ALOAD, COLUMNS_AT);
        push(out, i);
        out.writeByte(AALOAD);
        op(out, ILOAD, ROW_AT);
        op(out, ILOAD, POS_AT);
    }

    private void typed(DataOutputStream out, int i, String method, int number) throws IOException {
        column(out, i);
        push(out, number);
        invoke(out, INVOKESTATIC, STEPS, method, STEP_TYPE);
    }

    /** Whatever it is, as the loop does it. */
    private void any(DataOutputStream out, int i) throws IOException {
        op(out, ALOAD, MACHINE_AT);
        op(out, ALOAD, PROGRAM_AT);
        push(out, i);
        op(out, ILOAD, ROW_AT);
        op(out, ILOAD, POS_AT);
        invoke(out, INVOKEVIRTUAL, MACHINE, "step", ANY_TYPE);
    }

    private static void op(DataOutputStream out, int code, int local) throws IOException {
        out.writeByte(code);
        out.writeByte(local);
    }

    private static void push(DataOutputStream out, int number) throws IOException {
        out.writeByte(SIPUSH);
        out.writeShort(number);
    }

    private void invoke(DataOutputStream out, int code, String owner, String name, String type) throws IOException {
        out.writeByte(code);
        out.writeShort(member(10, owner, name, type));
    }

    private int member(int tag, String owner, String name, String type) throws IOException {
        int nameAndType = constant("n" + name + ' ' + type, 12, utf8(name), utf8(type));
        return constant("m" + owner + '.' + name + type, tag, type(owner), nameAndType);
    }

    private void method(DataOutputStream out, int access, String name, String type, int locals, Part part)
            throws IOException {
        byte[] code = part.bytes.toByteArray();
        byte[] frames = frames(part.targets);
        out.writeShort(access);
        out.writeShort(utf8(name));
        out.writeShort(utf8(type));
        out.writeShort(1);
        out.writeShort(utf8("Code"));
        out.writeInt(12 + code.length + frames.length);
        out.writeShort(8); // the deepest stack there is
        out.writeShort(locals);
        out.writeInt(code.length);
        out.write(code);
        out.writeShort(0); // exceptions
        out.writeShort(frames.length == 0 ? 0 : 1);
        out.write(frames);
    }

    /** The attribute that says, for each target of a jump, that the variables are what they were and the stack is empty. */
    private byte[] frames(List<Integer> targets) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        if (!targets.isEmpty()) {
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeShort(utf8("StackMapTable"));
            out.writeInt(2 + 3 * targets.size());
            out.writeShort(targets.size());
            int before = -1;
            for (int target : targets) {
                out.writeByte(251); // the same as before, so many bytes on
                out.writeShort(target - before - 1);
                before = target;
            }
        }
        return bytes.toByteArray();
    }

    private int type(String name) throws IOException {
        return constant("c" + name, 7, utf8(name), -1);
    }

    private int utf8(String text) throws IOException {
        Integer known = indexes.get("u" + text);
        if (known != null) {
            return known;
        }
        constants.writeByte(1);
        constants.writeUTF(text);
        indexes.put("u" + text, nextIndex);
        return nextIndex++;
    }

    private int constant(String key, int tag, int first, int second) throws IOException {
        Integer known = indexes.get(key);
        if (known != null) {
            return known;
        }
        constants.writeByte(tag);
        constants.writeShort(first);
        if (second >= 0) {
            constants.writeShort(second);
        }
        indexes.put(key, nextIndex);
        return nextIndex++;
    }
}
