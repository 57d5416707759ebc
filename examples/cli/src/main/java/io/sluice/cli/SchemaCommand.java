package io.sluice.cli;

import io.sluice.Dataset;
import io.sluice.ReadSpec;
import io.sluice.arrow.Arrow;
import io.sluice.arrow.IpcSpec;
import io.sluice.arrow.RecordBatch;
import io.sluice.avro.Avro;
import io.sluice.avro.AvroSpec;
import java.util.List;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.avro.SchemaFormatter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The columns that records would have as Arrow batches. */
@CommandLine.Command(
        name = "schema",
        mixinStandardHelpOptions = true,
        description =
                "Prints the Arrow schema of the records: inferred from JSONL, or as an Arrow file has it; of Avro files, Avro's own.")
final class SchemaCommand extends Command {

    @Mixin
    private final Source source = new Source();

    @Mixin
    private final Inferring inferring = new Inferring();

    @Option(names = "--all", description = "Look at all records, not only at the first ten thousand.")
    private boolean all;

    @Option(names = "--json", description = "Print it as Arrow's JSON form of schemas; Avro's on one line.")
    private boolean json;

    @Option(
            names = "--on-error",
            paramLabel = "fail|skip|FILE",
            defaultValue = "fail",
            description = "With --all, bad records: fail (default), skip, or write them to FILE as they are.")
    private String onError = "fail";

    SchemaCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() {
        Out out = new Out(streams);
        if (AvroFiles.isNamedBy(source.location)) {
            Dataset<?> files = source.open(streams, Avro.bytes(AvroSpec.create()));
            out.line(SchemaFormatter.format(
                    json ? "json/inline" : "json/pretty",
                    AvroFiles.header(files).schema()));
            out.flush();
            return DONE;
        }
        try (Columns columns = new Columns();
                OnError errors = OnError.of(onError, source.location);
                Progress progress = new Progress(streams, false)) {
            Observer observer = new Observer(progress);
            Dataset<RecordBatch> dataset =
                    source.open(streams, columns.format(source.location, inferring.spec(), IpcSpec.create()));
            ReadSpec reading = source.spec(observer, errors);
            @Nullable Schema schema = (all ? Arrow.schema(dataset, reading) : Arrow.schema(dataset)).block();
            progress.finish();
            if (schema == null) {
                say("no rows, and so no schema");
                return DONE;
            }
            if (schema.getFields().isEmpty()) {
                say("no columns: no record that could be read as JSONL has a field; --all says what is refused");
            }
            if (json) {
                out.line(schema.toJson());
            } else {
                print(schema.getFields(), "", out);
            }
            out.flush();
            String note = errors.note(observer.total().rejected());
            if (note != null) {
                say(note);
            }
        }
        return DONE;
    }

    private static void print(List<Field> fields, String indent, Out out) {
        for (Field field : fields) {
            String type = field.getType().toString();
            if (field.getDictionary() != null) {
                type = "dictionary-encoded, indexes " + type;
            } else if ("arrow.json".equals(field.getMetadata().get("ARROW:extension:name"))) {
                type = "JSON text";
            }
            out.line(indent + field.getName() + ": " + type + (field.isNullable() ? "" : " not null"));
            print(field.getChildren(), indent + "  ", out);
        }
    }
}
