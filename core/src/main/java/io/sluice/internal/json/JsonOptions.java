package io.sluice.internal.json;

import io.sluice.RecordException.Kind;

/**
 * How JSON text is taken where one may choose.
 *
 * @param bigDecimals decimals become {@code BigDecimal} rather than {@code Double}
 * @param nonFinite {@code NaN}, {@code Infinity}, {@code -Infinity} are taken
 * @param uniqueKeys an object with a key twice is refused
 * @param maxNumberDigits the most digits an integer or a {@code BigDecimal} may have
 * @param maxNesting the deepest nesting of arrays and objects
 */
public record JsonOptions(
        boolean bigDecimals, boolean nonFinite, boolean uniqueKeys, int maxNumberDigits, int maxNesting) {

    /** Refuses a {@code BigDecimal} of such an exponent: the digits of 1e1000000 written out would be a million. */
    void checkExponent(int exponent, int at) {
        if (Math.abs(exponent) > 10L * maxNumberDigits) {
            throw new JsonFailure(
                    Kind.UNEXPECTED_TYPE,
                    "a decimal's exponent is beyond ten times maxNumberDigits, " + maxNumberDigits,
                    at);
        }
    }
}
