package io.sluice.arrow.internal.avro;

import io.sluice.arrow.internal.BatchAssembler;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;

/** What a batch is made of, and how it is let go; keeps this package free of the public class. */
public interface BatchAccess<T> extends BatchAssembler.Factory<T> {

    /** The vectors of a batch. */
    VectorSchemaRoot root(T batch);

    /** The dictionaries that its vectors refer to. */
    DictionaryProvider dictionaries(T batch);

    /** Gives its memory back. */
    void release(T batch);
}
