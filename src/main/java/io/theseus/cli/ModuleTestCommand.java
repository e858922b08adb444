package io.theseus.cli;

import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleLoader;
import io.theseus.module.ModuleVersion;
import io.theseus.module.RecordedTransfer;
import io.theseus.module.Rehearsal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus module test}: whether a module keeps the rules. */
@Command(
    name = "test",
    description = {
      "Runs the components of a module on recorded transfers, interrupted at every packet, and shows"
          + " which rules they break.",
      "",
      "The transfers are the files *.transfer beside the source, and six that are built in. This runs"
          + " the module's code, signed or not. Exit code 17 where a rule is broken."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus module test my-channel",
      "  theseus module test MyChannel.java",
      "  theseus module test my-channel.jar --transfer night.transfer",
    })
final class ModuleTestCommand extends JsonCommand {
  private static final String TRANSFER = ".transfer";
  private static final ModuleVersion TRIED = new ModuleVersion("0");

  /** The whole takes a second or two. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Parameters(
      paramLabel = "MODULE",
      description = "A jar, a file NAME.java, or a directory with one in it.")
  private Path given = Path.of("");

  @Option(
      names = "--transfer",
      paramLabel = "FILE",
      description = "A recorded transfer more; as often as needed.")
  private List<Path> files = List.of();

  private final Duration patience;

  ModuleTestCommand(Streams streams) {
    this(streams, PATIENCE);
  }

  ModuleTestCommand(Streams streams, Duration patience) {
    super(streams);
    this.patience = patience;
  }

  @Override
  ExitCode run() throws IOException, ModuleException, CommandException {
    List<RecordedTransfer> transfers = transfers();
    ModuleArchive module = module();
    try (ModuleLoader loader = ModuleLoader.loadOwn(module)) {
      List<Rehearsal.Violation> violations = rehearse(new Rehearsal(loader), transfers);
      report(module, transfers, violations);
      return violations.isEmpty() ? ExitCode.OK : ExitCode.BAD_MODULE;
    }
  }

  private ModuleArchive module() throws IOException, ModuleException, CommandException {
    Path source = ModuleFiles.source(given);
    return ModuleFiles.isJar(source)
        ? ModuleFiles.read(source)
        : ModuleFiles.compile(source, TRIED, streams.err());
  }

  private List<RecordedTransfer> transfers() throws IOException, ModuleException {
    List<Path> recorded = new ArrayList<>(files);
    if (Files.isDirectory(given)) {
      try (Stream<Path> beside = Files.list(given)) {
        beside.filter(each -> each.toString().endsWith(TRANSFER)).sorted().forEach(recorded::add);
      }
    }
    List<RecordedTransfer> transfers = new ArrayList<>();
    for (Path each : recorded) {
      transfers.add(
          RecordedTransfer.parse(String.valueOf(each.getFileName()), Files.readString(each)));
    }
    transfers.addAll(RecordedTransfer.standard());
    return transfers;
  }

  /** In a thread of its own: what hangs is named, and ends with this program. */
  private List<Rehearsal.Violation> rehearse(Rehearsal rehearsal, List<RecordedTransfer> transfers)
      throws ModuleException, CommandException {
    FutureTask<List<Rehearsal.Violation>> task = new FutureTask<>(() -> rehearsal.run(transfers));
    Thread thread = new Thread(task, "theseus-module-test");
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new CommandException(
          ExitCode.BAD_MODULE,
          "after "
              + patience.toSeconds()
              + " s it is still in: "
              + rehearsal.call()
              + " (expected: that each call returns at once)",
          "");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException(ExitCode.INTERRUPTED, "interrupted", "");
    }
  }

  private void report(
      ModuleArchive module,
      List<RecordedTransfer> transfers,
      List<Rehearsal.Violation> violations) {
    if (json) {
      streams
          .out()
          .println(
              new JsonLine()
                  .put("module", module.descriptor().name())
                  .put("components", module.descriptor().components().size())
                  .put("transfers", transfers.size())
                  .put("violations", violations.stream().map(Object::toString).toList()));
      return;
    }
    violations.forEach(each -> streams.out().println(Display.name(each.toString())));
    streams
        .out()
        .printf(
            "%s: %s on %s: %s%n",
            module.descriptor().name(),
            Display.count(module.descriptor().components().size(), "component"),
            Display.count(transfers.size(), "transfer"),
            violations.isEmpty()
                ? "all rules are kept"
                : Display.count(violations.size(), "broken rule"));
  }
}
