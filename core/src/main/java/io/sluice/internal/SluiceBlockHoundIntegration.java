package io.sluice.internal;

import reactor.blockhound.BlockHound;
import reactor.blockhound.integration.BlockHoundIntegration;

/**
 * Tells BlockHound which of Sluice's methods block or burn the CPU for long, since it knows neither file reads nor zstd's native
 * code. Found by BlockHound itself where that is on the class path.
 */
public final class SluiceBlockHoundIntegration implements BlockHoundIntegration {

    @Override
    public void applyTo(BlockHound.Builder builder) {
        builder.markAsBlocking("io.sluice.storage.LocalFile", "read", "(Ljava/nio/ByteBuffer;)I");
        builder.markAsBlocking("io.sluice.internal.read.ChannelInput", "read", "([BII)I");
        builder.markAsBlocking(
                "io.sluice.codec.FramedDecompressor", "decompress", "(Ljava/nio/ByteBuffer;Ljava/nio/ByteBuffer;)V");
        builder.markAsBlocking("io.sluice.codec.ZstdCompressor", "compress", "([BIILio/sluice/codec/Output;)V");
        builder.markAsBlocking("io.sluice.codec.GzipCompressor", "compress", "([BIILio/sluice/codec/Output;)V");
    }
}
