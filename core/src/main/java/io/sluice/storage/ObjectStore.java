package io.sluice.storage;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A flat space of keys and bytes. Every operation is atomic: readers never see an object that is partly written or
 * whose writing failed. All publishers are cold: nothing happens before subscribe, each subscription stands alone.
 *
 * <p>A store never blocks the thread that subscribes or requests. Errors are signals of type
 * {@link io.sluice.StorageException}. A store is safe for use by several threads.
 *
 * <p>Keys are {@code /}-separated, relative, without empty, {@code .} or {@code ..} segments.
 */
public interface ObjectStore {

    /**
     * Reads a range of an object.
     *
     * <p>Demand is exact: no byte is read that was not requested beyond one chunk. The buffers are heap buffers and the
     * receiver's to keep. Cancel stops the reading at once. A range that begins at the end of the object is empty;
     * one that begins behind it is an {@code INVALID_REQUEST}; one that ends behind it is cut at the end.
     *
     * @param ifMatch the ETag the object must have, else the error is {@code CHANGED}; null reads whatever is there
     */
    Flux<ByteBuffer> get(String key, ByteRange range, @Nullable String ifMatch);

    /** The whole object, whatever its version. */
    default Flux<ByteBuffer> get(String key) {
        return get(key, ByteRange.ALL, null);
    }

    /** An object's metadata; {@code NOT_FOUND} where there is none. */
    Mono<ObjectMeta> head(String key);

    /**
     * All objects whose key begins with {@code prefix}, in all depths, in lexicographic order of their keys (UTF-8
     * bytes). The prefix is a string prefix; a directory ends with {@code /}. Only whole objects are listed.
     * A prefix without objects gives an empty sequence, except where {@code prefix} names a directory that a store with
     * real directories does not have: {@code NOT_FOUND}.
     */
    Flux<ObjectMeta> list(String prefix);

    /**
     * The objects of one directory, without those of the directories in it; otherwise as {@link #list}. Stores that can ask for
     * one level do so instead of walking through all depths, as this default does.
     *
     * @param directory ends with {@code /}, which is added where it is missing; empty for the store's root
     */
    default Flux<ObjectMeta> listDirectory(String directory) {
        String prefix = directoryPrefix(directory);
        return list(prefix).filter(meta -> meta.key().indexOf('/', prefix.length()) < 0);
    }

    /** The listing prefix of a directory: its name and a trailing {@code /}; empty for the root. */
    static String directoryPrefix(String directory) {
        return directory.isEmpty() || directory.endsWith("/") ? directory : directory + "/";
    }

    /**
     * Writes an object. Nobody sees it before the Mono completes; on error or cancel, nothing is left of it.
     * The content's buffers are read, not kept, after the next one was requested.
     *
     * @return what is stored; a size that is not the content's (-1 is none) fails the write
     */
    Mono<ObjectMeta> put(String key, Publisher<ByteBuffer> content, PutMode mode);

    /**
     * The part of a key that is the object's path, whose extensions say what is in it: all of it, except where a key has more to it,
     * such as a URL's query.
     */
    default String path(String key) {
        return key;
    }

    /**
     * Whether directories exist by themselves, so that one can be there and be empty. Where they are but common beginnings of keys
     * (an object store), a directory without objects is a missing one.
     */
    default boolean hasDirectories() {
        return false;
    }

    /** How people are shown a key in messages: a path, a URI. */
    default String displayName(String key) {
        return key;
    }

    /** Deletes an object; completes as well where there was none. */
    Mono<Void> delete(String key);
}
