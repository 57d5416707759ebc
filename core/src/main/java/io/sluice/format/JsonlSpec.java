package io.sluice.format;

/**
 * How JSON text is taken where one may choose. Immutable: every option gives a new spec.
 *
 * <p>Defaults: decimals become {@code Double}, {@code NaN} and {@code Infinity} are refused, the last of several values under
 * the same key wins, numbers have at most {@value #DEFAULT_MAX_NUMBER_DIGITS} digits.
 */
public final class JsonlSpec {

    /** The most digits a number may have by default. */
    public static final int DEFAULT_MAX_NUMBER_DIGITS = 1000;

    private static final JsonlSpec DEFAULT = new JsonlSpec(false, false, false, DEFAULT_MAX_NUMBER_DIGITS);

    private final boolean bigDecimals;
    private final boolean nonFinite;
    private final boolean uniqueKeys;
    private final int maxNumberDigits;

    private JsonlSpec(boolean bigDecimals, boolean nonFinite, boolean uniqueKeys, int maxNumberDigits) {
        this.bigDecimals = bigDecimals;
        this.nonFinite = nonFinite;
        this.uniqueKeys = uniqueKeys;
        this.maxNumberDigits = maxNumberDigits;
    }

    /** The defaults. */
    public static JsonlSpec create() {
        return DEFAULT;
    }

    /** Numbers with a fraction or an exponent become {@code BigDecimal}, digit by digit as they are written. */
    public JsonlSpec bigDecimals() {
        return new JsonlSpec(true, nonFinite, uniqueKeys, maxNumberDigits);
    }

    /** Takes {@code NaN}, {@code Infinity} and {@code -Infinity}, which are no JSON, as doubles, and writes them so. */
    public JsonlSpec acceptNonFinite() {
        return new JsonlSpec(bigDecimals, true, uniqueKeys, maxNumberDigits);
    }

    /** Refuses records in which an object has a key twice. */
    public JsonlSpec rejectDuplicateKeys() {
        return new JsonlSpec(bigDecimals, nonFinite, true, maxNumberDigits);
    }

    /**
     * Refuses integers and {@code BigDecimal}s of more digits: their arithmetic, and already their parsing, takes time that grows with the
     * square of the digits. Doubles are not concerned.
     */
    public JsonlSpec maxNumberDigits(int digits) {
        if (digits < 1) {
            throw new IllegalArgumentException("maxNumberDigits must be positive: " + digits);
        }
        return new JsonlSpec(bigDecimals, nonFinite, uniqueKeys, digits);
    }

    /** Whether decimals become {@code BigDecimal}. */
    public boolean usesBigDecimals() {
        return bigDecimals;
    }

    /** Whether {@code NaN} and the infinities are taken. */
    public boolean acceptsNonFinite() {
        return nonFinite;
    }

    /** Whether an object with a key twice is refused. */
    public boolean rejectsDuplicateKeys() {
        return uniqueKeys;
    }

    /** The most digits an integer or a {@code BigDecimal} may have. */
    public int maxNumberDigits() {
        return maxNumberDigits;
    }
}
