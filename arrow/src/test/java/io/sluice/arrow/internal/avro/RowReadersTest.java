package io.sluice.arrow.internal.avro;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.arrow.internal.avro.Program.Instruction;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
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
        for (int i = 0; i < 600; i++) {
            RowReaders.make(program(0, 1000 + i));
        }
        assertThat(RowReaders.make(program(0, 100))).isNotNull().isNotSameAs(first);
    }

    /** Where the class could not be made, the loop would do the work: slower, and nobody would know. */
    @Test
    void everyProgramBecomesAClass() {
        int[] codes = {
            Program.INT,
            Program.LONG,
            Program.FLOAT,
            Program.DOUBLE,
            Program.BOOLEAN,
            Program.STRING,
            Program.BYTES,
            Program.ARRAY,
            Program.SKIP_VARINT,
            Program.SKIP_FIXED,
            Program.SKIP_BYTES,
            Program.SLOW
        };
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            List<Instruction> instructions = new ArrayList<>();
            int count = 2 + random.nextInt(seed % 10 == 0 ? 2000 : 100);
            while (instructions.size() < count) {
                int code = codes[random.nextInt(codes.length)];
                int nullIndex = random.nextInt(3) * 2 - 2;
                int number = 1 + random.nextInt(random.nextInt(10) == 0 ? 100_000 : 20);
                for (int run = random.nextInt(5) == 0 ? random.nextInt(150) : 1; run > 0; run--) {
                    instructions.add(
                            new Instruction(code, nullIndex < 0 ? Program.NO_UNION : nullIndex, 0, number, null));
                }
            }
            assertThat(RowReaders.make(new Program(instructions)))
                    .as("seed %d", seed)
                    .isNotNull();
        }
    }
}
