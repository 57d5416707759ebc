package io.sluice.arrow.internal.avro;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.arrow.internal.avro.Program.Instruction;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowReadersTest {

    private static Program program(int nullIndex, int skipped) {
        return new Program(List.of(
                Instruction.of(Program.LONG, 0),
                Instruction.of(Program.STRING, 1).orNull(nullIndex),
                new Instruction(Program.SKIP_VARINT, Program.NO_UNION, -1, skipped, null)));
    }

    /** A class for every read would be interpreted, and compiled, every time. */
    @Test
    void equalProgramsShareAReader() {
        RowReader reader = RowReaders.make(program(0, 3));
        assertThat(reader).isNotNull().isSameAs(RowReaders.make(program(0, 3)));
        assertThat(RowReaders.make(program(2, 3))).isNotNull().isNotSameAs(reader);
        assertThat(RowReaders.make(program(0, 4))).isNotNull().isNotSameAs(reader);
    }

    @Test
    void keepsABoundedNumber() {
        RowReader first = RowReaders.make(program(0, 100));
        for (int i = 0; i < 200; i++) {
            RowReaders.make(program(0, 1000 + i));
        }
        assertThat(RowReaders.make(program(0, 100))).isNotNull().isNotSameAs(first);
    }
}
