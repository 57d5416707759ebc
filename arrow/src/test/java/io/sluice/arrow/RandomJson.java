package io.sluice.arrow;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random records that are alike, and damage to them. */
final class RandomJson {

    private static final String[] KEYS = {
        "a", "bb", "id", "name", "created_at", "a_key_longer_than_sixteen", "ü", "q\\\"t", "x y"
    };

    private final Random random;
    private final StringBuilder out = new StringBuilder();
    private final boolean spaced;

    private RandomJson(Random random) {
        this.random = random;
        this.spaced = random.nextInt(4) == 0;
    }

    /** Lines of objects whose values under one key are mostly of one kind; {@code bad} of ten are damaged. */
    static byte[] lines(Random random, int count, int bad) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int shape = random.nextInt();
        boolean mixed = random.nextInt(3) == 0;
        for (int i = 0; i < count; i++) {
            RandomJson json = new RandomJson(random);
            json.object(shape, 0, mixed);
            byte[] line = json.out.toString().getBytes(StandardCharsets.UTF_8);
            if (random.nextInt(10) < bad) {
                line = damage(random, line);
            }
            all.writeBytes(line);
            all.writeBytes((random.nextInt(8) == 0 ? "\r\n" : "\n").getBytes(StandardCharsets.UTF_8));
            if (random.nextInt(12) == 0) {
                all.writeBytes(" \n".getBytes(StandardCharsets.UTF_8));
            }
        }
        return all.toByteArray();
    }

    private static byte[] damage(Random random, byte[] line) {
        byte[] damaged = line.clone();
        switch (random.nextInt(4)) {
            case 0 -> {
                return java.util.Arrays.copyOf(line, random.nextInt(line.length));
            }
            case 1 -> damaged[random.nextInt(line.length)] ^= (byte) (1 << random.nextInt(8));
            case 2 -> {
                byte[] some = {
                    '"', '\\', ',', ':', '{', '}', '[', ']', 0, 'e', '-', '.', '0', (byte) 0xC3, (byte) 0xED, 'u'
                };
                damaged[random.nextInt(line.length)] = some[random.nextInt(some.length)];
            }
            default -> {
                int at = random.nextInt(line.length);
                int length = random.nextInt(5);
                byte[] longer = new byte[line.length + length];
                System.arraycopy(line, 0, longer, 0, at);
                System.arraycopy(line, Math.max(0, at - length), longer, at, Math.min(at, length));
                System.arraycopy(line, at, longer, at + length, line.length - at);
                damaged = longer;
            }
        }
        for (int i = 0; i < damaged.length; i++) {
            if (damaged[i] == '\n') {
                damaged[i] = 'n';
            }
        }
        return damaged;
    }

    private void space() {
        if (spaced && random.nextInt(3) == 0) {
            out.append(random.nextBoolean() ? " " : "\t ");
        }
    }

    private void object(int shape, int depth, boolean mixed) {
        out.append('{');
        space();
        List<Integer> keys = new ArrayList<>();
        for (int i = 0; i < KEYS.length; i++) {
            if ((shape >> i & 1) != 0 && random.nextInt(6) > 0) {
                keys.add(i);
            }
        }
        if (random.nextInt(5) == 0) {
            java.util.Collections.shuffle(keys, random);
        }
        if (!keys.isEmpty() && random.nextInt(15) == 0) {
            keys.add(keys.get(random.nextInt(keys.size())));
        }
        for (int i = 0; i < keys.size(); i++) {
            if (i > 0) {
                out.append(',');
                space();
            }
            out.append('"').append(KEYS[keys.get(i)]).append('"');
            space();
            out.append(':');
            space();
            int kind = Math.floorMod(shape >>> 9 ^ keys.get(i) * 0x9E3779B1 ^ depth * 77, 7);
            value(mixed && random.nextInt(5) == 0 ? random.nextInt(7) : kind, shape * 31 + keys.get(i), depth, mixed);
            space();
        }
        out.append('}');
    }

    private void value(int kind, int shape, int depth, boolean mixed) {
        if (random.nextInt(8) == 0) {
            out.append("null");
            return;
        }
        switch (kind) {
            case 0 -> out.append(random.nextBoolean());
            case 1 -> out.append(random.nextInt(6) == 0 ? random.nextLong() : random.nextInt(100_000) - 500);
            case 2 -> out.append(real(random));
            case 3, 4 -> string();
            case 5 -> {
                if (depth > 3) {
                    string();
                    return;
                }
                out.append('[');
                space();
                for (int i = random.nextInt(4); i > 0; i--) {
                    value(Math.floorMod(shape, 7), shape / 7, depth + 1, mixed);
                    space();
                    if (i > 1) {
                        out.append(',');
                        space();
                    }
                }
                out.append(']');
            }
            default -> {
                if (depth > 3) {
                    out.append("{}");
                } else {
                    object(shape * 17 + 5, depth + 1, mixed);
                }
            }
        }
    }

    static String real(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> Double.toString(random.nextGaussian());
            case 1 -> random.nextInt(1000) + "." + random.nextInt(100);
            case 2 -> random.nextInt(10) + "." + random.nextInt(10) + "e" + (random.nextInt(40) - 20);
            case 3 -> "-" + random.nextInt(100_000_000) + "." + Long.toString(random.nextLong() >>> 1);
            case 4 -> Double.toString(Math.abs(random.nextInt()) * 1e-5);
            default -> random.nextInt(3000) + ".0";
        };
    }

    private void string() {
        out.append('"');
        int length = random.nextInt(4) == 0 ? random.nextInt(60) : random.nextInt(9);
        for (int i = 0; i < length; i++) {
            switch (random.nextInt(14)) {
                case 0 -> out.append("\\n");
                case 1 -> out.append(random.nextBoolean() ? "\\u00e9" : "\\\"");
                case 2 -> out.append(random.nextBoolean() ? "é" : "中文");
                case 3 -> out.append(random.nextBoolean() ? "😀" : "\\ud83d\\ude00");
                default -> out.append((char) ('a' + random.nextInt(26)));
            }
        }
        out.append('"');
    }
}
