package io.sluice.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GlobTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*|a,a.b,.a|a/b,/",
                "*.jsonl|a.jsonl,.jsonl|a.json,a/b.jsonl,a.jsonl.zst",
                "a?c|abc,a😀c,a.c|ac,abbc,a/c",
                "a[bc]d|abd,acd|aed,ad,a/d",
                "a[b-d]e|abe,ade|aee,a-e",
                "a[!b-d]e|aae,a-e|abe,a/e",
                "a[^b]e|aae|abe",
                "a[]]b|a]b|ab",
                "a[b-]c|abc,a-c|adc",
                "a[*?]b|a*b,a?b|axb",
                "{a,b}|a,b|c,ab",
                "x{a,b*,}y|xay,xby,xbooy,xy|xcy",
                "{a,b{c,d}e}/f|a/f,bce/f,bde/f|b/f,bcde/f",
                "a\\*b|a*b|axb,a\\*b",
                "\\{a,b}|'{a,b}'|a,b",
                "**|a,a/b,a/b/c|",
                "a/**|a/b,a/b/c|a,b/a",
                "**/a|a,b/a,b/c/a|ba,a/b,b/ca",
                "a/**/b|a/b,a/x/b,a/x/y/b|ab,a/bb,a/x/bb,x/a/b",
                "a/**/b/*.z|a/b/1.z,a/b/b/1.z,a/x/b/1.z|a/b.z,a/b/1/2.z",
                "a**b|ab,axb,a/x/b|a,b",
                "2026-*/part-*.{jsonl,jsonl.zst}|2026-01/part-0.jsonl,2026-01/part-1.jsonl.zst|2026-01/part-0.avro,2026-01/x/part-0.jsonl",
                "events/[0-9][0-9].jsonl|events/07.jsonl|events/7.jsonl",
                "plain/key.txt|plain/key.txt|plain/key_txt,plain"
            })
    void matches(String pattern, String yes, String no) {
        Glob glob = Glob.of(pattern);
        for (String key : yes.startsWith("{") ? new String[] {yes} : yes.split(",")) {
            assertThat(glob.matches(key)).as("%s matches %s", pattern, key).isTrue();
        }
        if (no != null) {
            for (String key : no.split(",")) {
                assertThat(glob.matches(key)).as("%s matches %s", pattern, key).isFalse();
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*.jsonl|''|''|false",
                "logs/part-*.jsonl|logs/part-|logs/|false",
                "logs/*/a|logs/|logs/|true",
                "logs/**|logs/|logs/|true",
                "logs/a{b,c/d}|logs/a|logs/|true",
                "lo\\*gs/x?|lo*gs/x|lo*gs/|false",
                "no/glob|no/glob|no/|false"
            })
    void tellsWhatToList(String pattern, String prefix, String directory, boolean recursive) {
        Glob glob = Glob.of(pattern);
        assertThat(glob.literalPrefix()).isEqualTo(prefix);
        assertThat(glob.directory()).isEqualTo(directory);
        assertThat(glob.isRecursive()).isEqualTo(recursive);
        assertThat(glob).hasToString(pattern);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a[b", "a[", "a[]", "{a,b", "{", "a\\", "{a,{b}", "[a-"})
    void refusesMalformedPatterns(String pattern) {
        assertThatIllegalArgumentException().isThrownBy(() -> Glob.of(pattern)).withMessageContaining(pattern);
    }

    @Test
    void boundsTheAlternatives() {
        assertThat(Glob.of("{0,1}".repeat(10)).matches("0101010101")).isTrue();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Glob.of("{0,1}".repeat(40)))
                .withMessageContaining("alternatives");
    }

    @Test
    void matchesEvilPatternsInTime() {
        assertThat(Glob.of("*a".repeat(50) + "b").matches("a".repeat(2000))).isFalse();
        assertThat(Glob.of("**/".repeat(50) + "b").matches("a/".repeat(500) + "a"))
                .isFalse();
    }

    @Test
    void escapes() {
        for (String text : List.of("a[1]{x,y}*?\\.jsonl", "plain")) {
            assertThat(Glob.of(Glob.escape(text)).matches(text)).isTrue();
            assertThat(Glob.of(Glob.escape(text)).literalPrefix()).isEqualTo(text);
        }
        assertThat(Glob.isGlob("plain/a.b")).isFalse();
        assertThat(List.of("a*", "a?", "a[", "{a}", "a\\*")).allMatch(Glob::isGlob);
    }
}
