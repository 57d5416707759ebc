package io.sluice.internal.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.ConcurrentModificationException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordMapTest {

    private static Keys keys(int count) {
        String[] names = new String[count];
        for (int i = 0; i < count; i++) {
            names[i] = ("k" + i).intern();
        }
        return new Keys(names);
    }

    private static RecordMap map(Keys keys) {
        Object[] values = new Object[keys.size() + 2];
        for (int i = 0; i < keys.size(); i++) {
            values[i] = i;
        }
        return new RecordMap(keys, values);
    }

    private static Map<String, @Nullable Object> linked(int count) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            map.put("k" + i, i);
        }
        return map;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 8, 9, 100})
    void behavesLikeALinkedHashMap(int count) {
        RecordMap map = map(keys(count));
        Map<String, @Nullable Object> model = linked(count);
        assertAlike(map, model);
        assertThat(map.get("absent")).isNull();
        assertThat(map.get(null)).isNull();
        Object noKey = 17;
        assertThat(map.get(noKey)).isNull();
        assertThat(map.getOrDefault("absent", "x")).isEqualTo("x");
        assertThat(map.containsKey("absent")).isFalse();
        for (int i = 0; i < count; i++) {
            String other = new StringBuilder("k").append(i).toString(); // equal, not the same
            assertThat(map.get(other)).isEqualTo(i);
            assertThat(map.containsKey(other)).isTrue();
            assertThat(map.getOrDefault(other, "x")).isEqualTo(i);
        }
    }

    /** Any sequence of changes, against the model. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void changesLikeALinkedHashMap(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            int count = random.nextInt(12);
            Keys keys = keys(count);
            RecordMap map = map(keys);
            RecordMap neighbour = map(keys);
            Map<String, @Nullable Object> model = linked(count);
            for (int n = random.nextInt(12); n > 0; n--) {
                String key = random.nextInt(30) == 0 ? null : "k" + random.nextInt(14);
                Object value = random.nextInt(5) == 0 ? null : (Object) random.nextInt(100);
                switch (random.nextInt(14)) {
                    case 0, 1 -> assertThat(map.put(key, value)).isEqualTo(model.put(key, value));
                    case 2 -> assertThat(map.remove(key)).isEqualTo(model.remove(key));
                    case 3 -> assertThat(map.putIfAbsent(key, value)).isEqualTo(model.putIfAbsent(key, value));
                    case 4 ->
                        assertThat(map.merge("k1", 5, (a, b) -> null)).isEqualTo(model.merge("k1", 5, (a, b) -> null));
                    case 5 -> {
                        map.replaceAll((k, v) -> k + v);
                        model.replaceAll((k, v) -> k + v);
                    }
                    case 6 -> {
                        removeSome(map, n);
                        removeSome(model, n);
                    }
                    case 7 -> {
                        setSome(map, value);
                        setSome(model, value);
                    }
                    case 8 ->
                        assertThat(map.keySet().remove(key))
                                .isEqualTo(model.keySet().remove(key));
                    case 9 ->
                        assertThat(map.values().remove(value))
                                .isEqualTo(model.values().remove(value));
                    case 10 ->
                        assertThat(map.computeIfAbsent("k3", k -> k + 1))
                                .isEqualTo(model.computeIfAbsent("k3", k -> k + 1));
                    case 11 ->
                        assertThat(map.entrySet().contains(Map.entry("k2", 2)))
                                .isEqualTo(model.entrySet().contains(Map.entry("k2", 2)));
                    case 12 ->
                        assertThat(map.entrySet().remove(Map.entry("k2", 2)))
                                .isEqualTo(model.entrySet().remove(Map.entry("k2", 2)));
                    default -> {
                        if (random.nextInt(10) == 0) {
                            map.clear();
                            model.clear();
                        }
                    }
                }
                assertAlike(map, model);
            }
            assertAlike(neighbour, linked(count)); // which shares the keys
        }
    }

    private static void removeSome(Map<String, @Nullable Object> map, int every) {
        Iterator<Map.Entry<String, @Nullable Object>> it = map.entrySet().iterator();
        for (int i = 1; it.hasNext(); i++) {
            it.next();
            if (i % every == 0) {
                it.remove();
            }
        }
    }

    private static void setSome(Map<String, @Nullable Object> map, @Nullable Object value) {
        int i = 0;
        for (Map.Entry<String, @Nullable Object> entry : map.entrySet()) {
            if (i++ % 2 == 0) {
                entry.setValue(value);
                assertThat(entry.getValue()).isEqualTo(value);
            }
        }
    }

    private static void assertAlike(Map<String, @Nullable Object> map, Map<String, @Nullable Object> model) {
        assertThat(map.equals(model)).isTrue();
        assertThat(model.equals(map)).isTrue();
        assertThat(map.hashCode()).isEqualTo(model.hashCode());
        assertThat(map.toString()).isEqualTo(model.toString());
        assertThat(map.size()).isEqualTo(model.size());
        assertThat(map.isEmpty()).isEqualTo(model.isEmpty());
        assertThat(new ArrayList<>(map.keySet())).isEqualTo(new ArrayList<>(model.keySet()));
        assertThat(new ArrayList<>(map.values())).isEqualTo(new ArrayList<>(model.values()));
        List<@Nullable Object> each = new ArrayList<>();
        map.forEach((k, v) -> {
            each.add(k);
            each.add(v);
        });
        List<@Nullable Object> modelEach = new ArrayList<>();
        model.forEach((k, v) -> {
            modelEach.add(k);
            modelEach.add(v);
        });
        assertThat(each).isEqualTo(modelEach);
    }

    @Test
    void iteratorsFailFast() {
        RecordMap map = map(keys(3));
        Iterator<Map.Entry<String, @Nullable Object>> it = map.entrySet().iterator();
        assertThatThrownBy(it::remove).isInstanceOf(IllegalStateException.class);
        it.next();
        map.put("k1", "in place");
        assertThat(it.next().getValue()).isEqualTo("in place");
        map.put("new", 1);
        assertThatThrownBy(it::next).isInstanceOf(ConcurrentModificationException.class);
        RecordMap other = map(keys(3));
        assertThatThrownBy(() -> other.forEach((k, v) -> other.remove(k)))
                .isInstanceOf(ConcurrentModificationException.class);
        Iterator<Map.Entry<String, @Nullable Object>> empty =
                map(keys(0)).entrySet().iterator();
        assertThatThrownBy(empty::next).isInstanceOf(NoSuchElementException.class);
    }

    @Test
    void removingTwiceIsAnError() {
        Iterator<Map.Entry<String, @Nullable Object>> it =
                map(keys(3)).entrySet().iterator();
        it.next();
        it.remove();
        assertThatThrownBy(it::remove).isInstanceOf(IllegalStateException.class);
        assertThat(it.next().getKey()).isEqualTo("k1");
    }

    @Test
    void anEntryKeepsUpWithItsMap() {
        RecordMap map = map(keys(3));
        Map.Entry<String, @Nullable Object> entry = map.entrySet().iterator().next();
        assertThat(entry)
                .isEqualTo(Map.entry("k0", 0))
                .hasSameHashCodeAs(Map.entry("k0", 0))
                .hasToString("k0=0");
        map.remove("k2");
        entry.setValue("new");
        assertThat(map.get("k0")).isEqualTo("new");
        assertThat(entry.getValue()).isEqualTo("new");
    }

    @Test
    void keysOfOneHashAreTold() {
        String[] names = new String[256];
        for (int i = 0; i < names.length; i++) {
            StringBuilder name = new StringBuilder();
            for (int bit = 0; bit < 8; bit++) {
                name.append((i >> bit & 1) == 0 ? "Aa" : "BB"); // which have the same hash
            }
            names[i] = name.toString();
        }
        Keys keys = new Keys(names);
        for (int i = 0; i < names.length; i++) {
            assertThat(keys.indexOf(names[i])).isEqualTo(i);
        }
        assertThat(keys.indexOf("AaAaAaAaAaAaAaC#")).isEqualTo(-1);
    }

    @Test
    void isSerializedAsALinkedHashMap() throws Exception {
        RecordMap map = map(keys(20));
        map.put("k3", map(keys(2)));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(map);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject())
                    .isInstanceOf(LinkedHashMap.class)
                    .isEqualTo(map)
                    .hasToString(map.toString());
        }
    }
}
