package io.theseus.cli;

import io.theseus.client.ListEntry;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus ls}: the names on the nodes. */
@Command(
    name = "ls",
    description = {
      "Lists the names that begin with PREFIX, in byte order.",
      "",
      "-l adds size in bytes, modification time and identity. A live source has - for these."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus ls                               every name",
      "  theseus ls -l photos/2026/               what is in this folder, in long form",
      "  theseus ls --json | jq -r .name          for scripts",
    })
final class ListCommand extends ClientCommand {
  private static final int SIZE_WIDTH = 12;
  private static final int TIME_WIDTH = 24;
  private static final int IDENTITY_WIDTH = 36;

  @Parameters(
      arity = "0..1",
      paramLabel = "PREFIX",
      description = "How the names begin; without it, all are listed.")
  String prefix = "";

  @Option(
      names = {"-l", "--long"},
      description = "Size, modification time and identity too.")
  boolean longForm;

  @Option(names = "--human", description = "With -l: sizes like 1.2 GiB.")
  boolean human;

  ListCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run(TheseusClient client) throws TransferException {
    TreeSet<String> unreachable = new TreeSet<>();
    try {
      client.list(
          prefix,
          page -> {
            page.entries().forEach(this::print);
            unreachable.addAll(page.unreachable());
            if (streams.out().checkError()) {
              throw new ReaderGoneException();
            }
          });
    } catch (ReaderGoneException e) {
      // as with `ls | head`: nobody reads on, and nothing is to be said about it
      return ExitCode.LOCAL_IO;
    }
    for (String node : unreachable) {
      streams
          .err()
          .println("ls: node " + Display.name(node) + " can't be reached, names may be missing");
    }
    return unreachable.isEmpty() ? ExitCode.OK : ExitCode.SOME_FAILED;
  }

  /** Standard output is closed. */
  private static final class ReaderGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private void print(ListEntry entry) {
    if (common.json) {
      streams
          .out()
          .println(
              new JsonLine()
                  .put("name", entry.name())
                  .put("size", entry.size())
                  .put("modified", entry.modified())
                  .put("identity", entry.identity()));
      return;
    }
    String name = streams.outIsTerminal() ? Display.name(entry.name()) : entry.name();
    if (longForm) {
      String size =
          entry.size().isEmpty()
              ? "-"
              : human
                  ? Display.size(entry.size().getAsLong())
                  : String.valueOf(entry.size().getAsLong());
      streams
          .out()
          .println(
              String.format(
                  "%" + SIZE_WIDTH + "s  %-" + TIME_WIDTH + "s  %-" + IDENTITY_WIDTH + "s  %s",
                  size,
                  entry.modified().map(Object::toString).orElse("-"),
                  Display.name(entry.identity().orElse("-")),
                  name));
    } else {
      streams.out().println(name);
    }
  }

  @Override
  JsonLine subject(JsonLine line) {
    return line.put("command", "ls").put("prefix", prefix);
  }
}
