package io.sluice.codec;

/**
 * Turns a block into values. Single-threaded, reused for many blocks in any order; several decoders of one reader run
 * at once on different threads.
 *
 * @param <B> the form in which a block's values travel to the emitting thread
 */
public interface BlockDecoder<B> {

    /**
     * Decodes a whole block. Bad records become rejections; nothing is thrown for bad data.
     *
     * @throws io.sluice.SluiceException where the shard as a whole can't be read (a header that does not fit the
     *     schema); key and place are added by the pipeline
     */
    DecodedBlock<B> decode(Block block);
}
