package io.theseus.cli;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.Canary;
import io.theseus.admin.Operations.Preview;
import io.theseus.admin.Operations.RevisionView;
import io.theseus.admin.jmx.RunFile;
import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleKey;
import io.theseus.module.ModuleVersion;
import io.theseus.module.RevisionDescription;
import io.theseus.module.SourceCompiler;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus admin upgrade}: other code for all sessions, while they run. */
@Command(
    name = "upgrade",
    description = {
      "Puts a module in force on all nodes, or on none. Transfers go on meanwhile.",
      "",
      "A jar has to be signed. A Java source is compiled on this host, which needs a JDK, gets the"
          + " version after the highest that is known of it, and is signed.",
      "",
      "Exit codes: 0 confirmed, 17 it is no module, 18 refused and nothing is changed, 19 taken back"
          + " and all is as before, 130 Ctrl-C while waiting: the act goes on."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus admin upgrade MyChannel.java --dry-run        what would it do?",
      "  theseus admin upgrade MyChannel.java                  compile, sign, switch",
      "  theseus admin upgrade my-channel.jar --canary 5%%      one session in 20",
      "  theseus admin upgrade my-channel.jar --without node3  that one is down",
      "  theseus admin upgrade my-channel.jar --watch 5m --detach",
    })
final class AdminUpgradeCommand extends ActCommand {
  private static final String INSTANT = "instant";
  private static final ModuleVersion FIRST = new ModuleVersion("1.0.0");

  @Parameters(
      paramLabel = "FILE",
      description = "A jar, a file NAME.java, or a directory with one in it.")
  private Path given = Path.of("");

  @Option(
      names = "--dry-run",
      description =
          "Try it on the node that is asked, show what it would change, and change nothing.")
  private boolean dryRun;

  @Option(
      names = "--canary",
      paramLabel = "WHO",
      description = {
        "Only for one session, by its id, or for a share, like 5%%;",
        "`theseus admin promote` gives it to the others."
      })
  private Optional<String> canary = Optional.empty();

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      description = "How sessions come under it: instant, all at once, without a pause.")
  private String mode = INSTANT;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description = {
        "Sign it with this private key. Default, for a source:",
        "the node's lab key."
      })
  private Optional<Path> keyFile = Optional.empty();

  AdminUpgradeCommand(Streams streams, Ticker.Source tickers) {
    super(streams, tickers);
  }

  @Override
  ExitCode run(RunFile node, Operations operations)
      throws OperationException, IOException, ModuleException, CommandException {
    if (!mode.equals(INSTANT)) {
      throw bad(
          new IllegalArgumentException(
              "--mode: " + Texts.quote(mode) + " (expected: " + INSTANT + ")"));
    }
    return dryRun
        ? show(operations.preview(module(node, operations).bytes()))
        : super.run(node, operations);
  }

  @Override
  ActView begin(RunFile node, Operations operations)
      throws OperationException, IOException, ModuleException, CommandException {
    Optional<Canary> who;
    try {
      who = canary.map(Canary::parse);
    } catch (IllegalArgumentException e) {
      throw bad(new IllegalArgumentException("--" + e.getMessage(), e));
    }
    return operations.upgrade(module(node, operations).bytes(), who, actOrder());
  }

  private ModuleArchive module(RunFile node, Operations operations)
      throws OperationException, IOException, ModuleException, CommandException {
    Path file = ModuleFiles.source(given);
    if (ModuleFiles.isJar(file)) {
      ModuleArchive module = ModuleFiles.read(file);
      return keyFile.isPresent()
          ? module.sign(ModuleKey.read(keyFile.get()), Optional.empty())
          : module;
    }
    ModuleKey key = key(node);
    ModuleVersion version = nextVersion(SourceCompiler.moduleName(file), operations);
    ModuleArchive module =
        ModuleFiles.compile(file, version, streams.err()).sign(key, Optional.empty());
    if (!json) {
      streams.err().println(module.descriptor().module() + ", signed by key " + key.id());
    }
    return module;
  }

  private ModuleKey key(RunFile node) throws IOException, ModuleException, CommandException {
    if (keyFile.isPresent()) {
      return ModuleKey.read(keyFile.get());
    }
    if (node.labKey().isEmpty()) {
      throw new CommandException(
          ExitCode.USAGE,
          "--key: missing (expected: the private key of one that the nodes accept; "
              + "this node has no lab key)",
          "");
    }
    return ModuleKey.read(Path.of(node.labKey()));
  }

  /** Higher than every one that is known of the module. */
  private static ModuleVersion nextVersion(String module, Operations operations)
      throws OperationException {
    return operations.revisions().stream()
        .map(RevisionView::description)
        .filter(each -> !each.isEmpty()) // a node need not have it of what it never served
        .flatMap(each -> RevisionDescription.parse(each).components().stream())
        .filter(each -> each.module().equals(module))
        .map(each -> each.version())
        .max(Comparator.naturalOrder())
        .map(ModuleVersion::next)
        .orElse(FIRST);
  }

  private ExitCode show(Preview preview) {
    RevisionView revision = preview.revision();
    Set<String> missing = new TreeSet<>(preview.missing());
    without().forEach(missing::remove);
    Failure failure =
        Failure.of(
            ExitCode.REFUSED,
            Display.name(
                "missing: "
                    + String.join(", ", missing)
                    + " (expected: all nodes, or --without those that may be missing)"),
            "");
    if (json) {
      JsonLine line =
          line().put("revision", revision).put("missing", new TreeSet<>(preview.missing()));
      streams.out().println(missing.isEmpty() ? line : line.failure(failure));
    } else {
      streams.out().println("would bring " + AdminRevisionsCommand.title(revision) + ":");
      AdminRevisionsCommand.changes(revision).forEach(streams.out()::println);
    }
    if (missing.isEmpty()) {
      return ExitCode.OK;
    }
    streams.err().println(spec.qualifiedName() + ": " + failure.message());
    return failure.exit();
  }
}
