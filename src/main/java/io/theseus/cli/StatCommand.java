package io.theseus.cli;

import io.theseus.client.FileStat;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code theseus stat}: what one file is. */
@Command(
    name = "stat",
    description = "Shows size, modification time, identity and SHA-256 of a file.",
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus stat photos/a.jpg",
      "  theseus stat photos/a.jpg --json | jq -r .identity",
    })
final class StatCommand extends ClientCommand {
  @Parameters(paramLabel = "NAME", description = "The name on the node.")
  String nameText = "";

  StatCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run(TheseusClient client) throws TransferException {
    FileStat stat = client.stat(name(nameText));
    if (common.json) {
      streams
          .out()
          .println(
              new JsonLine()
                  .put("name", nameText)
                  .put("size", stat.size())
                  .put("modified", stat.modified())
                  .put("identity", stat.identity())
                  .put("sha256", stat.sha256()));
      return ExitCode.OK;
    }
    row("name", Display.name(nameText));
    row(
        "size",
        stat.size().isEmpty()
            ? "unknown (a live source)"
            : String.format(Locale.ROOT, "%,d bytes", stat.size().getAsLong())
                + (stat.size().getAsLong() < 1024
                    ? ""
                    : " (" + Display.size(stat.size().getAsLong()) + ")"));
    row("modified", stat.modified().map(Object::toString).orElse("-"));
    row("identity", Display.name(stat.identity().orElse("-")));
    row("sha-256", stat.sha256().orElse("not known yet"));
    return ExitCode.OK;
  }

  private void row(String what, String value) {
    streams.out().printf("%-9s %s%n", what, value);
  }

  @Override
  JsonLine subject(JsonLine line) {
    return line.put("command", "stat").put("name", nameText);
  }
}
