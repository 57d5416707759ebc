package io.sluice.internal.json;

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
        boolean bigDecimals, boolean nonFinite, boolean uniqueKeys, int maxNumberDigits, int maxNesting) {}
