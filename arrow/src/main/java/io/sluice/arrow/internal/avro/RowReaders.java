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
 * <p>The class file is written by hand because it needs so little: two kinds of constants, six instructions, and no stack maps,
 * as nothing jumps. The class is hidden: it goes when its reader does. Where a runtime does not
 * allow that, the loop does the work.
 */
final class RowReaders {

    /** Instructions a method calls: what is inlined into it must stay within the compiler's bounds. */
    private static final int STEPS_PER_METHOD = 12;

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
    private static final String SKIP_TYPE = "([BII)I";
    private static final String SKIP_BYTES_TYPE = "(L" + MACHINE + ";[BI)I";
    private static final String ANY_TYPE = "(L" + PROGRAM + ";III)I";

    // the instructions used, and where read() has its arguments
    private static final int ALOAD = 25;
    private static final int ILOAD = 21;
    private static final int ISTORE = 54;
    private static final int SIPUSH = 17;
    private static final int AALOAD = 50;
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
    private static final int MAX_KEPT = 64;

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
            int n = program.codes.length;
            int parts = (n + STEPS_PER_METHOD - 1) / STEPS_PER_METHOD;
            out.writeShort(0x0010 | 0x0020); // final, super
            out.writeShort(type(NAME));
            out.writeShort(type(PACKAGE + "RowReader"));
            out.writeShort(0); // interfaces
            out.writeShort(0); // fields
            out.writeShort(2 + parts);
            method(out, 0, "<init>", "()V", 1, constructor());
            ByteArrayOutputStream calls = new ByteArrayOutputStream();
            DataOutputStream read = new DataOutputStream(calls);
            for (int part = 0; part < parts; part++) {
                // read() has itself before its arguments
                for (int i = MACHINE_AT; i <= POS_AT; i++) {
                    op(read, i < ROW_AT ? ALOAD : ILOAD, i + 1);
                }
                invoke(read, INVOKESTATIC, NAME, "part" + part, READ_TYPE);
                op(read, ISTORE, POS_AT + 1);
            }
            op(read, ILOAD, POS_AT + 1);
            read.writeByte(IRETURN);
            method(out, 0, "read", READ_TYPE, 7, calls.toByteArray());
            for (int part = 0; part < parts; part++) {
                int from = part * STEPS_PER_METHOD;
                byte[] code = steps(program, from, Math.min(n, from + STEPS_PER_METHOD));
                method(out, 0x0008, "part" + part, READ_TYPE, 6, code);
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

    private byte[] constructor() throws IOException {
        ByteArrayOutputStream code = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(code);
        op(out, ALOAD, 0);
        invoke(out, INVOKESPECIAL, PACKAGE + "RowReader", "<init>", "()V");
        out.writeByte(RETURN);
        return code.toByteArray();
    }

    private byte[] steps(Program program, int from, int to) throws IOException {
        ByteArrayOutputStream code = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(code);
        for (int i = from; i < to; i++) {
            step(out, program, i);
            op(out, ISTORE, POS_AT);
        }
        op(out, ILOAD, POS_AT);
        out.writeByte(IRETURN);
        return code.toByteArray();
    }

    private void step(DataOutputStream out, Program program, int i) throws IOException {
        boolean orNull = program.nulls[i] != Program.NO_UNION;
        int number = program.numbers[i];
        switch (program.codes[i]) {
            case Program.INT -> typed(out, i, orNull ? "readIntOrNull" : "readInt", program.nulls[i]);
            case Program.LONG -> typed(out, i, orNull ? "readLongOrNull" : "readLong", program.nulls[i]);
            case Program.DOUBLE -> typed(out, i, orNull ? "readDoubleOrNull" : "readDouble", program.nulls[i]);
            case Program.STRING -> typed(out, i, orNull ? "readStringOrNull" : "readString", program.nulls[i]);
            case Program.FLOAT -> {
                if (orNull) {
                    any(out, i);
                } else {
                    typed(out, i, "readFloat", 0);
                }
            }
            case Program.BOOLEAN -> {
                if (orNull) {
                    any(out, i);
                } else {
                    typed(out, i, "readBoolean", 0);
                }
            }
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
            case Program.SKIP_VARINT -> {
                if (number > Short.MAX_VALUE) {
                    any(out, i);
                } else {
                    op(out, ALOAD, BUF_AT);
                    op(out, ILOAD, POS_AT);
                    push(out, orNull ? program.nulls[i] : number);
                    invoke(out, INVOKESTATIC, STEPS, orNull ? "skipVarintOrNull" : "skipVarints", SKIP_TYPE);
                }
            }
            case Program.SKIP_BYTES -> {
                if (orNull) {
                    any(out, i);
                } else {
                    op(out, ALOAD, MACHINE_AT);
                    op(out, ALOAD, BUF_AT);
                    op(out, ILOAD, POS_AT);
                    invoke(out, INVOKESTATIC, STEPS, "skipBytes", SKIP_BYTES_TYPE);
                }
            }
            default -> any(out, i);
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
        int nameAndType = constant("n" + name + ' ' + type, 12, utf8(name), utf8(type));
        out.writeShort(constant("m" + owner + '.' + name + type, 10, type(owner), nameAndType));
    }

    private void method(DataOutputStream out, int access, String name, String type, int locals, byte[] code)
            throws IOException {
        out.writeShort(access);
        out.writeShort(utf8(name));
        out.writeShort(utf8(type));
        out.writeShort(1);
        out.writeShort(utf8("Code"));
        out.writeInt(12 + code.length);
        out.writeShort(8); // the deepest stack there is
        out.writeShort(locals);
        out.writeInt(code.length);
        out.write(code);
        out.writeShort(0);
        out.writeShort(0);
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
