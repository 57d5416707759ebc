package io.sluice.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShardNamesTest {

    @Test
    void ordersNumericallyThenNaturally() {
        List<String> ordered = List.of(
                "part-00000.jsonl",
                "part-00001.jsonl.zst",
                "part-00002",
                "part-00010.avro",
                "part-00010.jsonl",
                "part-99998.jsonl",
                "part-99999.jsonl",
                "part-100000.jsonl",
                "part-123456789012.jsonl",
                "a-2.jsonl",
                "a-10.jsonl",
                "a-010x.jsonl",
                "a.jsonl",
                "b01.jsonl",
                "b1.jsonl",
                "b99999999999999999999999.jsonl",
                "b100000000000000000000000.jsonl",
                "part-.jsonl",
                "part-1x.jsonl",
                "x");
        for (int seed = 0; seed < 20; seed++) {
            List<String> shuffled = new ArrayList<>(ordered);
            Collections.shuffle(shuffled, new Random(seed));
            shuffled.sort(ShardNames.ORDER);
            assertThat(shuffled).containsExactlyElementsOf(ordered);
        }
    }

    @Test
    void ordersDirectoriesFirst() {
        List<String> keys =
                new ArrayList<>(List.of("day-10/part-00000", "day-9/part-00010", "day-9/part-00009", "day-9/a", "top"));
        keys.sort(ShardNames.ORDER);
        assertThat(keys).containsExactly("top", "day-9/part-00009", "day-9/part-00010", "day-9/a", "day-10/part-00000");
    }

    @Test
    void isATotalOrder() {
        Random random = new Random(3);
        List<String> names = new ArrayList<>();
        String[] pieces = {"a", "b", "0", "1", "00", "10", "-", ".", "part-", "/"};
        for (int i = 0; i < 300; i++) {
            StringBuilder name = new StringBuilder();
            for (int n = 1 + random.nextInt(4); n > 0; n--) {
                name.append(pieces[random.nextInt(pieces.length)]);
            }
            names.add(name.toString());
        }
        for (String a : names) {
            for (String b : names) {
                int order = ShardNames.ORDER.compare(a, b);
                assertThat(order == 0).isEqualTo(a.equals(b));
                assertThat(Integer.signum(ShardNames.ORDER.compare(b, a))).isEqualTo(-Integer.signum(order));
                String c = names.get(random.nextInt(names.size()));
                if (order < 0 && ShardNames.ORDER.compare(b, c) < 0) {
                    assertThat(ShardNames.ORDER.compare(a, c)).isNegative();
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "part-00012.jsonl.zst,12",
        "dir/part-00000,0",
        "part-100000.avro,100000",
        "part-7.jsonl,7",
        "part-999999999999999999.x,999999999999999999"
    })
    void readsTheIndex(String name, long index) {
        assertThat(ShardNames.index(name)).isEqualTo(OptionalLong.of(index));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "part-.jsonl",
                "part-x",
                "part-1a.jsonl",
                "part--1",
                "Part-00001",
                "xpart-00001",
                "part-9999999999999999999",
                "part-00001/other",
                "part-٣"
            })
    void readsNoIndex(String name) {
        assertThat(ShardNames.index(name)).isEmpty();
    }

    @Test
    void namesAShard() {
        assertThat(ShardNames.of(0, ".jsonl")).isEqualTo("part-00000.jsonl");
        assertThat(ShardNames.of(12, ".jsonl.zst")).isEqualTo("part-00012.jsonl.zst");
        assertThat(ShardNames.of(1234567, "")).isEqualTo("part-1234567");
        assertThatIllegalArgumentException().isThrownBy(() -> ShardNames.of(-1, ""));
    }

    @Test
    void tellsShardsFromOtherFiles() {
        assertThat(List.of("part-00000.jsonl", "x", "_dir/x", ".dir/x", "a_b")).allMatch(ShardNames::isShard);
        assertThat(List.of("_SUCCESS", ".hidden", "dir/_temporary", "dir/.crc", "dir/", ""))
                .noneMatch(ShardNames::isShard);
    }
}
