package io.theseus.cli;

import io.theseus.client.Consumer;
import io.theseus.client.FileStat;
import io.theseus.client.GetRequest;
import io.theseus.client.ListEntry;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import io.theseus.client.TransferResult;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus get}: a file, a live source or a whole folder from a node. */
@Command(
    name = "get",
    description = {
      "Gets a file from a node and checks it against its SHA-256.",
      "",
      "The file appears under its name when it is whole, never before. A lost connection is made"
          + " again, to the same node or its fellows, and the transfer goes on where it was."
          + " A file that is here already and is the same (size and modification time) is left as"
          + " it is. One that differs is replaced only if you named it with -o, or with --force."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus get photos/a.jpg                 into ./a.jpg",
      "  theseus get backup.tar -o - | tar x      into a pipe",
      "  theseus get big.iso --continue           go on after Ctrl-C or a failure",
      "  theseus get -r photos/2026 -o album      all below photos/2026/ into ./album",
    })
final class GetCommand extends TransferCommand {
  @Parameters(
      paramLabel = "NAME",
      description = "The name on the node; with -r a folder, and '' for everything.")
  String nameText = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = {
        "Where it goes: a file, a directory, a pipe, or - for standard output.",
        "Default: the last part of NAME, in the current directory."
      })
  @Nullable String output;

  @Option(
      names = {"-f", "--force"},
      description = "Replace files that are here already.")
  boolean force;

  private boolean resumable;

  GetCommand(Streams streams) {
    super(streams);
  }

  @Override
  void check() {
    if (toStandardOutput()) {
      if (recursive) {
        throw usage("-o -: with -r (expected: a directory, since a folder is many files)");
      }
      if (resume) {
        throw usage("-o -: with --continue (expected: a file, since a pipe can't be gone on with)");
      }
      if (common.json) {
        throw usage("-o -: with --json (expected: one of them, both use standard output)");
      }
    }
    if (recursive && nameText.isEmpty() && output == null) {
      throw usage("NAME: '' with -r (expected: also -o DIRECTORY, to say where everything goes)");
    }
  }

  private boolean toStandardOutput() {
    return "-".equals(output);
  }

  @Override
  ExitCode run(TheseusClient client) throws TransferException, CommandException, IOException {
    if (recursive) {
      return folder(client);
    }
    FileName name = name(nameText);
    if (toStandardOutput()) {
      return stream(client, name, Consumer.stream(streams.data()), "-");
    }
    Path target = target(name);
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      return stream(client, name, Consumer.of(target), target.toString());
    }
    return file(client, name, target);
  }

  private ExitCode stream(TheseusClient client, FileName name, Consumer consumer, String where)
      throws TransferException {
    TransferResult result;
    try (Screen screen = Screen.ofErrors(streams);
        Progress progress = progress(name.value(), toStandardOutput(), screen)) {
      result =
          client.get(GetRequest.of(name), consumer, limited(progress.file(Progress.Direction.GET)));
    }
    done(name, where, result);
    return ExitCode.OK;
  }

  private ExitCode file(TheseusClient client, FileName name, Path target)
      throws TransferException, CommandException, IOException {
    FileStat stat = client.stat(name);
    Optional<Stamp> there = Stamp.of(stat.size(), stat.modified());
    Optional<Stamp> here = Stamp.of(target);
    if (!force && here.isPresent() && there.isPresent() && here.get().sameAs(there.get())) {
      unchanged(name, target, here.get());
      return ExitCode.OK;
    }
    if (here.isPresent() && !force && output == null) {
      throw new CommandException(differs(target, here.get(), there));
    }
    resumable = there.isPresent();
    TransferResult result;
    try (Screen screen = Screen.ofErrors(streams);
        Progress progress = progress(name.value(), false, screen)) {
      result = fetch(client, name, target, stat.identity(), stat.modified(), progress);
    }
    done(name, target.toString(), result);
    return ExitCode.OK;
  }

  private TransferResult fetch(
      TheseusClient client,
      FileName name,
      Path target,
      Optional<String> identity,
      Optional<Instant> modified,
      Progress progress)
      throws TransferException, IOException {
    GetRequest request = GetRequest.of(name).withResume(resume);
    if (modified.isPresent()) {
      request = request.withModified(modified.get());
    }
    TransferResult result =
        client.get(request, Consumer.file(target), limited(progress.file(Progress.Direction.GET)));
    if (identity.isPresent()
        && result.identity().isPresent()
        && !identity.equals(result.identity())) {
      // replaced between the question and the transfer: the time was that of the old file
      FileStat now = client.stat(name);
      if (now.identity().equals(result.identity()) && now.modified().isPresent()) {
        Files.setLastModifiedTime(target, FileTime.from(now.modified().get()));
      }
    }
    return result;
  }

  private ExitCode folder(TheseusClient client)
      throws TransferException, CommandException, IOException {
    String prefix = nameText.isEmpty() || nameText.endsWith("/") ? nameText : nameText + "/";
    if (!prefix.isEmpty()) {
      name(prefix.substring(0, prefix.length() - 1));
    }
    List<ListEntry> entries = new ArrayList<>();
    TreeSet<String> unreachable = new TreeSet<>();
    client.list(
        prefix,
        page -> {
          entries.addAll(page.entries());
          unreachable.addAll(page.unreachable());
        });
    if (entries.isEmpty()) {
      throw new CommandException(
          ExitCode.NOT_FOUND,
          "no name on the node begins with \"" + Display.name(prefix) + "\"",
          "`theseus ls` shows what is there; a single file is got without -r.");
    }
    String last = prefix.isEmpty() ? "." : last(prefix.substring(0, prefix.length() - 1));
    TargetTree tree = TargetTree.open(path(output == null ? last : output));
    TreeReport report = new TreeReport("get", streams, common);
    for (String node : unreachable) {
      report.failed(
          node, Failure.of(ExitCode.UNREACHABLE, "can't be reached: its names may be missing", ""));
    }
    resumable = true;
    try (Screen screen = Screen.ofErrors(streams);
        Progress progress = progress(prefix.isEmpty() ? "/" : prefix, false, screen)) {
      progress.total(entries.stream().mapToLong(entry -> entry.size().orElse(0)).sum());
      for (int i = 0; i < entries.size(); i++) {
        ListEntry entry = entries.get(i);
        progress.at((i + 1) + "/" + entries.size() + " " + entry.name());
        Optional<Failure> failure = entry(client, entry, prefix, tree, report, progress);
        failure.ifPresent(reason -> report.failed(entry.name(), reason));
        if (failure.isPresent() && failure.get().endsAll()) {
          report.ended(failure.get(), entries.size() - i - 1);
          break;
        }
        progress.fileDone(entry.size().orElse(0));
      }
    }
    return end(report);
  }

  private Optional<Failure> entry(
      TheseusClient client,
      ListEntry entry,
      String prefix,
      TargetTree tree,
      TreeReport report,
      Progress progress) {
    try {
      Optional<Stamp> there = Stamp.of(entry.size(), entry.modified());
      if (there.isEmpty()) {
        report.leftOut(entry.name(), "a live source, which has no end");
        return Optional.empty();
      }
      FileName name = FileName.parse(entry.name());
      if (!entry.name().startsWith(prefix)) {
        throw new IOException("a name that was not asked for (expected: " + prefix + "...)");
      }
      Path target = tree.prepare(FileName.parse(entry.name().substring(prefix.length())));
      Optional<Stamp> here = Stamp.of(target);
      if (here.isPresent() && !force) {
        if (!here.get().sameAs(there.get())) {
          return Optional.of(differs(target, here.get(), there));
        }
        report.unchanged(entry.name(), target.toString(), entry.size().orElse(0));
        return Optional.empty();
      }
      TransferResult result =
          fetch(client, name, target, entry.identity(), entry.modified(), progress);
      report.complete(entry.name(), target.toString(), result);
      return Optional.empty();
    } catch (TransferException e) {
      return Optional.of(Failure.of(e));
    } catch (ProtocolException e) {
      return Optional.of(
          Failure.of(ExitCode.USAGE, "a name that can't be used here: " + e.getMessage(), ""));
    } catch (java.nio.file.InvalidPathException e) {
      return Optional.of(Failure.of(e));
    } catch (IOException e) {
      return Optional.of(Failure.of(e));
    }
  }

  /** Where one file goes; a directory takes it under its own last name. */
  private Path target(FileName name) throws IOException {
    String own = last(name.value());
    if (output == null) {
      return path(own);
    }
    Path target = path(output);
    if (Files.isDirectory(target)) {
      Path inside = target.resolve(own);
      if (Stamp.of(inside).isPresent() && !force) {
        output = null; // the directory was named, not the file in it
      }
      return inside;
    }
    if (output.endsWith("/")) {
      throw usage("-o: " + Display.name(output) + " is no directory (expected: one that exists)");
    }
    // a link that was named stays, and what it points to is replaced
    return Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
  }

  private static String last(String name) {
    return name.substring(name.lastIndexOf('/') + 1);
  }

  private static Failure differs(Path target, Stamp here, Optional<Stamp> there) {
    return Failure.of(
        ExitCode.PRECONDITION,
        Display.name(target.toString())
            + ": is here already and differs ("
            + here.size()
            + " bytes of "
            + here.modified()
            + there.map(s -> "; on the node " + s.size() + " bytes of " + s.modified()).orElse("")
            + ")",
        "--force replaces it, -o FILE takes another name.");
  }

  private void unchanged(FileName name, Path target, Stamp stamp) {
    if (common.json) {
      streams
          .out()
          .println(
              subject(new JsonLine())
                  .put("file", target.toString())
                  .put("outcome", "unchanged")
                  .put("size", stamp.size()));
    }
    if (!common.quiet) {
      streams
          .err()
          .println(
              Display.name(name.value())
                  + ": nothing to do, "
                  + Display.name(target.toString())
                  + " is the same already (size and modification time).");
    }
  }

  private void done(FileName name, String where, TransferResult result) {
    if (common.json) {
      streams.out().println(describe(subject(new JsonLine()).put("file", where), result));
    }
    boolean data = where.equals("-");
    if (!common.quiet && (!data || streams.errIsTerminal())) {
      String what = data ? name.value() : name.value() + " -> " + where;
      streams.err().println(summary(what, result));
    }
  }

  @Override
  JsonLine subject(JsonLine line) {
    return line.put("command", "get").put("name", nameText);
  }

  @Override
  String afterInterrupt() {
    return resumable ? "Go on with: " + again("--continue") : "";
  }
}
