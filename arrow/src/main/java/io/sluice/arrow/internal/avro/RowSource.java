package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.ChunkPool;
import io.sluice.arrow.internal.Column;
import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.arrow.internal.avro.Program.Domain;
import io.sluice.avro.AvroHeader;
import io.sluice.avro.internal.BinaryInput;
import io.sluice.avro.internal.FileResolution;
import io.sluice.avro.internal.Utf8Check;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Fills chunks of some columns, one row a record, from whichever file is at hand. Single-threaded. */
final class RowSource {

    private final FileResolution files;
    private final ChunkPool pool;
    private final Machine machine;
    private @Nullable Compiler compiled;
    private String compiledFor = "";
    private @Nullable ColumnChunk chunk;

    /** The columns that strings are read into, in the order that instructions count columns in. */
    private int[] textIndexes = {};

    private Column[] texts = {};
    /** Of each of them, how many bytes and rows are known to be text. */
    private int[] soundBytes = {};

    private int[] soundRows = {};

    RowSource(FileResolution files, ChunkPool pool, int maxNesting) {
        this.files = files;
        this.pool = pool;
        this.machine = new Machine(maxNesting);
    }

    /** Gets ready for a file. */
    void open(AvroHeader header) {
        if (compiled == null || !compiledFor.equals(header.schemaJson())) {
            Schema file = header.schema();
            Compiler made = new Compiler(file, files.reader(file), pool.plans());
            for (Program program : made.programs()) {
                program.reader = RowReaders.make(program);
            }
            textIndexes = made.programs().stream()
                    .flatMapToInt(program -> IntStream.range(0, program.codes.length)
                            .filter(i -> program.codes[i] == Program.STRING)
                            .map(i -> program.columnIndexes[i]))
                    .distinct()
                    .toArray();
            texts = new Column[textIndexes.length];
            soundBytes = new int[textIndexes.length];
            soundRows = new int[textIndexes.length];
            compiled = made;
            compiledFor = header.schemaJson();
        }
    }

    /** Takes a chunk to fill. */
    ColumnChunk begin() {
        ColumnChunk taken = pool.take();
        Column[] all = Compiler.flatten(taken.columns);
        Compiler c = Objects.requireNonNull(compiled);
        for (Program program : c.programs()) {
            for (int i = 0; i < program.columns.length; i++) {
                int index = program.columnIndexes[i];
                if (index >= 0) {
                    program.columns[i] = all[index];
                }
            }
        }
        for (Domain domain : c.domains()) {
            Arrays.setAll(domain.columns, i -> all[domain.columnIndexes[i]]);
            domain.row = -1;
        }
        Arrays.setAll(texts, i -> all[textIndexes[i]]);
        textIsKnown();
        chunk = taken;
        return taken;
    }

    /**
     * Begins a block's data.
     *
     * @param checks whether {@link #row} looks at the text of each row; else {@link #textIsSound} has to be asked
     */
    void data(byte[] data, int to, boolean checks) {
        machine.reset(data, to, checks);
    }

    /** Makes room for {@code count} rows in all. */
    void ensure(int count) {
        root().ensure(count);
    }

    /**
     * Reads the record at {@code pos} into a row, for which there is room.
     *
     * @return the position behind it
     * @throws io.sluice.avro.internal.BadRecord where there is no such record
     * @throws IndexOutOfBoundsException where the array ends inside it
     */
    int row(int row, int pos, int to) {
        int next = machine.row(root(), row, pos);
        if (next > to) {
            throw BinaryInput.cutOff();
        }
        return next;
    }

    /** The chunk has so many complete rows now; what was written behind them waits for {@link #rollback}. */
    void rows(int count) {
        root().rows(count);
        Objects.requireNonNull(chunk).rows = count;
    }

    /** Takes back what was written behind {@code count} complete rows: columns don't count while a record is read. */
    void rollback(int count) {
        for (Domain domain : Objects.requireNonNull(compiled).domains()) {
            for (Column column : domain.columns) {
                column.rows = Math.max(column.rows, domain.row + 1);
            }
            domain.row = -1;
        }
        ColumnChunk rows = Objects.requireNonNull(chunk);
        rows.rows = count;
        rows.rollback();
        textIsKnown();
    }

    private void textIsKnown() {
        for (int i = 0; i < texts.length; i++) {
            soundBytes[i] = texts[i].end;
            soundRows[i] = texts[i].rows;
        }
    }

    /**
     * Whether the strings read since this was asked last are UTF-8, all of them: most are ASCII, which shows faster in a column's bytes
     * taken together than in each string.
     */
    boolean textIsSound() {
        for (int i = 0; i < texts.length; i++) {
            Column text = texts[i];
            int from = soundBytes[i];
            int to = text.end;
            if (!Utf8Check.isAscii(text.data, from, to)
                    && !(Utf8Check.isValid(text.data, from, to) && beginsWithCharacters(text, soundRows[i]))) {
                return false;
            }
        }
        textIsKnown();
        return true;
    }

    /** Whether no string begins within a character, which their bytes taken together would not show. */
    private static boolean beginsWithCharacters(Column text, int fromRow) {
        for (int row = fromRow; row < text.rows; row++) {
            int start = text.offsets[row];
            if (start < text.end && (text.data[start] & 0xC0) == 0x80) {
                return false;
            }
        }
        return true;
    }

    private Domain root() {
        return Objects.requireNonNull(compiled).root();
    }
}
