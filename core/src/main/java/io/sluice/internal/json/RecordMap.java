package io.sluice.internal.json;

import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ConcurrentModificationException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object in little space: its values, beside keys that it shares with all maps of the same shape. Behaves like a
 * {@link LinkedHashMap}, and keeps one of its own from the first change of its keys on. Serialized as a LinkedHashMap.
 */
final class RecordMap extends AbstractMap<String, @Nullable Object> implements Serializable {

    private static final long serialVersionUID = 1L;

    private transient Keys keys;
    /** At least as long as there are keys. */
    private transient @Nullable Object[] values;

    private transient @Nullable LinkedHashMap<String, @Nullable Object> own;

    /** @param values not copied */
    RecordMap(Keys keys, @Nullable Object[] values) {
        this.keys = keys;
        this.values = values;
    }

    /** The keys that it shares with others, or null where it has come to have its own. */
    @Nullable
    Keys sharedKeys() {
        return own == null ? keys : null;
    }

    /** The values of {@link #sharedKeys()}, in their order; the array may be longer. */
    @Nullable
    Object[] sharedValues() {
        return values;
    }

    @Override
    public int size() {
        return own != null ? own.size() : keys.size();
    }

    @Override
    public boolean isEmpty() {
        return size() == 0;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return own != null ? own.containsKey(key) : keys.indexOf(key) >= 0;
    }

    @Override
    public @Nullable Object get(@Nullable Object key) {
        if (own != null) {
            return own.get(key);
        }
        int i = keys.indexOf(key);
        return i >= 0 ? values[i] : null;
    }

    @Override
    public @Nullable Object getOrDefault(@Nullable Object key, @Nullable Object other) {
        if (own != null) {
            return own.getOrDefault(key, other);
        }
        int i = keys.indexOf(key);
        return i >= 0 ? values[i] : other;
    }

    @Override
    public @Nullable Object put(String key, @Nullable Object value) {
        if (own == null) {
            int i = keys.indexOf(key);
            if (i >= 0) {
                Object old = values[i];
                values[i] = value;
                return old;
            }
        }
        return detach().put(key, value);
    }

    @Override
    public @Nullable Object remove(@Nullable Object key) {
        if (own == null && keys.indexOf(key) < 0) {
            return null;
        }
        return detach().remove(key);
    }

    @Override
    public void clear() {
        own = new LinkedHashMap<>();
        forgetShape();
    }

    @Override
    public void forEach(BiConsumer<? super String, ? super @Nullable Object> action) {
        if (own != null) {
            own.forEach(action);
            return;
        }
        Objects.requireNonNull(action, "action");
        Keys all = keys;
        for (int i = 0; i < all.size(); i++) {
            action.accept(all.name(i), values[i]);
            if (own != null) {
                throw new ConcurrentModificationException();
            }
        }
    }

    @Override
    public Set<Map.Entry<String, @Nullable Object>> entrySet() {
        return new Entries();
    }

    private LinkedHashMap<String, @Nullable Object> detach() {
        LinkedHashMap<String, @Nullable Object> map = own;
        if (map == null) {
            int n = keys.size();
            map = new LinkedHashMap<>((n + 1) * 4 / 3 + 1);
            for (int i = 0; i < n; i++) {
                map.put(keys.name(i), values[i]);
            }
            own = map;
            forgetShape();
        }
        return map;
    }

    private void forgetShape() {
        keys = Keys.NONE;
        values = new Object[0];
    }

    private Object writeReplace() {
        return new LinkedHashMap<>(this);
    }

    private void readObject(ObjectInputStream in) throws InvalidObjectException {
        throw new InvalidObjectException("serialized as a LinkedHashMap");
    }

    private final class Entries extends AbstractSet<Map.Entry<String, @Nullable Object>> {

        @Override
        public int size() {
            return RecordMap.this.size();
        }

        @Override
        public void clear() {
            RecordMap.this.clear();
        }

        @Override
        public boolean contains(@Nullable Object o) {
            return o instanceof Map.Entry<?, ?> e
                    && containsKey(e.getKey())
                    && Objects.equals(get(e.getKey()), e.getValue());
        }

        @Override
        public boolean remove(@Nullable Object o) {
            if (!contains(o)) {
                return false;
            }
            RecordMap.this.remove(((Map.Entry<?, ?>) Objects.requireNonNull(o)).getKey());
            return true;
        }

        @Override
        public Iterator<Map.Entry<String, @Nullable Object>> iterator() {
            return own != null ? own.entrySet().iterator() : new Entering();
        }
    }

    /** Walks the shared keys; goes on in a map of its own after the first removal. */
    private final class Entering implements Iterator<Map.Entry<String, @Nullable Object>> {
        private int next;
        private @Nullable Iterator<Map.Entry<String, @Nullable Object>> rest;

        @Override
        public boolean hasNext() {
            return rest != null ? rest.hasNext() : next < keys.size();
        }

        @Override
        public Map.Entry<String, @Nullable Object> next() {
            if (rest != null) {
                return rest.next();
            }
            if (own != null) {
                throw new ConcurrentModificationException();
            }
            if (next >= keys.size()) {
                throw new NoSuchElementException();
            }
            return new Slot(keys.name(next), next++);
        }

        @Override
        public void remove() {
            if (rest == null) {
                if (next == 0) {
                    throw new IllegalStateException("next has not been called");
                }
                if (own != null) {
                    throw new ConcurrentModificationException();
                }
                Iterator<Map.Entry<String, @Nullable Object>> all =
                        detach().entrySet().iterator();
                for (int i = 0; i < next; i++) {
                    all.next();
                }
                rest = all;
            }
            rest.remove();
        }
    }

    /** An entry that writes through. */
    private final class Slot implements Map.Entry<String, @Nullable Object> {
        private final String key;
        private final int index;

        Slot(String key, int index) {
            this.key = key;
            this.index = index;
        }

        @Override
        public String getKey() {
            return key;
        }

        @Override
        public @Nullable Object getValue() {
            return own != null ? own.get(key) : values[index];
        }

        @Override
        public @Nullable Object setValue(@Nullable Object value) {
            return put(key, value);
        }

        @Override
        public boolean equals(@Nullable Object o) {
            return o instanceof Map.Entry<?, ?> e && key.equals(e.getKey()) && Objects.equals(getValue(), e.getValue());
        }

        @Override
        public int hashCode() {
            return key.hashCode() ^ Objects.hashCode(getValue());
        }

        @Override
        public String toString() {
            return key + "=" + getValue();
        }
    }
}
