package io.sluice.arrow;

import io.sluice.RecordException.Kind;
import io.sluice.arrow.internal.ChunkPool;
import io.sluice.arrow.internal.ColumnChunk;
import io.sluice.codec.Block;
import io.sluice.codec.BlockDecoder;
import io.sluice.codec.DecodedBlock;
import io.sluice.codec.ReadLimits;
import io.sluice.internal.json.JsonFailure;
import io.sluice.internal.json.Lines;

/** Decodes blocks of JSONL into chunks. */
final class JsonlDecoder implements BlockDecoder<ColumnChunk> {

    private final ChunkPool pool;
    private final Lines lines;
    private final JsonColumns columns;

    JsonlDecoder(ChunkPool pool, ReadLimits limits, JsonRules rules) {
        this.pool = pool;
        this.lines = new Lines(limits);
        this.columns = new JsonColumns(pool.plans(), rules);
    }

    @Override
    public DecodedBlock<ColumnChunk> decode(Block block) {
        ColumnChunk chunk = pool.take();
        columns.open(chunk);
        lines.openPadded(block);
        while (lines.nextStart()) {
            try {
                int end = columns.record(lines.bytes(), lines.start(), chunk);
                if (lines.endedAt(end)) {
                    chunk.endRow();
                } else {
                    chunk.rollback();
                }
            } catch (JsonFailure e) {
                chunk.rollback();
                Kind kind = e.kind() == Kind.MALFORMED ? lines.malformedAt(e.at()) : e.kind();
                lines.reject(kind, String.valueOf(e.getMessage()), e.at(), null);
            }
        }
        int rows = chunk.rows;
        return lines.close(chunk.finish(rows), rows);
    }
}
