package io.sluice.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.sluice.RecordException.Kind;
import io.sluice.testing.Corpora;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * JSONTestSuite (github.com/nst/JSONTestSuite), read as maps. A well-formed text whose root is not an object is told from an
 * ill-formed one by the kind of its rejection, UNEXPECTED_TYPE. Line breaks within a text become spaces, as they mean the
 * same in JSON but not in JSON Lines; where they stand in a string they are left.
 */
class JsonTestSuiteTest {

    /** What we make of texts that RFC 8259 leaves to the reader: a value, or why it is refused. See docs/jsonl.md. */
    static final Map<String, String> CHOICES = new LinkedHashMap<>();

    static {
        CHOICES.put("i_number_double_huge_neg_exp", "accepted");
        CHOICES.put("i_number_huge_exp", "UNEXPECTED_TYPE a number is too large for a double");
        CHOICES.put("i_number_neg_int_huge_exp", "UNEXPECTED_TYPE a number is too large for a double");
        CHOICES.put("i_number_pos_double_huge_exp", "UNEXPECTED_TYPE a number is too large for a double");
        CHOICES.put("i_number_real_neg_overflow", "UNEXPECTED_TYPE a number is too large for a double");
        CHOICES.put("i_number_real_pos_overflow", "UNEXPECTED_TYPE a number is too large for a double");
        CHOICES.put("i_number_real_underflow", "accepted");
        CHOICES.put("i_number_too_big_neg_int", "accepted");
        CHOICES.put("i_number_too_big_pos_int", "accepted");
        CHOICES.put("i_number_very_big_negative_int", "accepted");
        for (String lone : new String[] {
            "i_object_key_lone_2nd_surrogate",
            "i_string_1st_surrogate_but_2nd_missing",
            "i_string_1st_valid_surrogate_2nd_invalid",
            "i_string_incomplete_surrogate_and_escape_valid",
            "i_string_incomplete_surrogate_pair",
            "i_string_incomplete_surrogates_escape_valid",
            "i_string_invalid_lonely_surrogate",
            "i_string_invalid_surrogate",
            "i_string_inverted_surrogates_U+1D11E",
            "i_string_lone_second_surrogate",
        }) {
            CHOICES.put(lone, "INVALID_UNICODE a surrogate without its other half");
        }
        for (String utf8 : new String[] {
            "i_string_UTF-8_invalid_sequence",
            "i_string_UTF8_surrogate_U+D800",
            "i_string_invalid_utf-8",
            "i_string_iso_latin_1",
            "i_string_lone_utf8_continuation_byte",
            "i_string_not_in_unicode_range",
            "i_string_overlong_sequence_2_bytes",
            "i_string_overlong_sequence_6_bytes",
            "i_string_overlong_sequence_6_bytes_null",
            "i_string_truncated-utf-8",
        }) {
            CHOICES.put(utf8, "INVALID_UNICODE not UTF-8");
        }
        CHOICES.put("i_string_UTF-16LE_with_BOM", "MALFORMED expected a value, found the byte 0xFF");
        CHOICES.put("i_string_utf16BE_no_BOM", "MALFORMED expected a value, found the byte 0x00");
        CHOICES.put("i_string_utf16LE_no_BOM", "MALFORMED expected a value, found the byte 0x00");
        CHOICES.put("i_structure_500_nested_arrays", "accepted");
        CHOICES.put("i_structure_UTF-8_BOM_empty_object", "accepted");
    }

    @TestFactory
    java.util.stream.Stream<DynamicTest> suite() {
        return Corpora.files("json/test_parsing").stream()
                .map(file -> DynamicTest.dynamicTest(name(file), () -> check(name(file), Files.readAllBytes(file))));
    }

    private static String name(Path file) {
        return file.getFileName().toString().replace(".json", "");
    }

    private static void check(String name, byte[] text) {
        String outcome = outcome(text);
        if (name.startsWith("y_")) {
            assertThat(outcome).isEqualTo("accepted");
        } else if (name.startsWith("n_")) {
            assertThat(outcome).isNotEqualTo("accepted").doesNotStartWith("UNEXPECTED_TYPE");
        } else {
            assertThat(CHOICES).containsKey(name);
            assertThat(outcome).startsWith(CHOICES.get(name));
        }
    }

    private static String outcome(byte[] text) {
        var result = Drive.read(Jsonl.maps(), Drive.LIMITS, oneLine(text));
        if (result.lines() - result.blankLines() > 1) { // a raw newline in a string
            assertThat(result.values()).isEmpty();
        }
        if (result.refused().isEmpty()) {
            return result.values().isEmpty() ? "empty" : "accepted";
        }
        Drive.Refused refused = result.refused().get(0);
        if (refused.kind() == Kind.UNEXPECTED_TYPE && refused.reason().startsWith("the record is not an object")) {
            return "accepted";
        }
        return refused.kind() + " " + refused.reason();
    }

    private static byte[] oneLine(byte[] text) {
        byte[] line = text.clone();
        boolean inString = false;
        for (int i = 0; i < line.length; i++) {
            if (line[i] == '"' && (i == 0 || line[i - 1] != '\\')) {
                inString = !inString;
            }
            if (line[i] == '\n' && !inString) {
                line[i] = ' ';
            }
        }
        return line;
    }

    @Test
    void everyChoiceIsDocumented() throws IOException {
        Path docs = Path.of("..", "docs", "jsonl.md");
        String page = Files.readString(docs);
        Map<String, String> missing = new TreeMap<>(CHOICES);
        missing.keySet().removeIf(name -> page.contains("`" + name + "`"));
        assertThat(missing).isEmpty();
    }
}
