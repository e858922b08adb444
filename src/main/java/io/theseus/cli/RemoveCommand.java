package io.theseus.cli;

import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus rm}: deletes one file. */
@Command(
    name = "rm",
    description = {
      "Deletes a file.",
      "",
      "When it is done, the file stays gone even if the node is killed. Who is getting the file at"
          + " that moment still gets it whole, or is told that it is gone."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus rm photos/a.jpg",
      "  theseus rm a.conf --if-identity ID       only what `stat` showed",
    })
final class RemoveCommand extends ClientCommand {
  @Parameters(paramLabel = "NAME", description = "The name on the node.")
  String nameText = "";

  @Option(
      names = "--if-identity",
      paramLabel = "ID",
      description = "Only where the file has this identity (`theseus stat` shows it).")
  @Nullable String ifIdentity;

  RemoveCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run(TheseusClient client) throws TransferException {
    Optional<String> identity = client.delete(name(nameText), Optional.ofNullable(ifIdentity));
    if (common.json) {
      streams
          .out()
          .println(subject(new JsonLine()).put("outcome", "deleted").put("identity", identity));
    } else if (!common.quiet) {
      streams
          .err()
          .println(
              "Deleted "
                  + Display.name(nameText)
                  + identity.map(id -> " (identity " + Display.name(id) + ")").orElse("")
                  + ".");
    }
    return ExitCode.OK;
  }

  @Override
  JsonLine subject(JsonLine line) {
    return line.put("command", "rm").put("name", nameText);
  }
}
