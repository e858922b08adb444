package io.theseus.cli;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.RunRegistry;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.admin.jmx.StatusClient.UnreachableException;
import io.theseus.wire.Texts;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code theseus status}: how a node of this host does, with a reason for what isn't normal. */
@Command(
    name = "status",
    description = "Shows how a node of this host does.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Exit codes: 0 all is normal, 15 something isn't (the reason is shown), 2 several nodes run,",
      "6 no node runs or it does not answer.",
      "",
      "Examples:",
      "  theseus status",
      "  theseus status --config cluster/node2.conf",
      "  theseus status --json",
    })
final class StatusCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The node that runs with this file; needed where several run.")
  private Optional<Path> config = Optional.empty();

  @Option(names = "--json", description = "One JSON object, for scripts.")
  private boolean json;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    StatusClient client = client();
    try {
      RunFile node = client.find(config);
      NodeStatus status = client.status(node);
      out.print(json ? status.toJson() + "\n" : describe(status));
      out.flush();
      return (status.isNormal() ? ExitCode.OK : ExitCode.NOT_NORMAL).number();
    } catch (UnreachableException e) {
      err.println("theseus status: " + e.getMessage());
      err.flush();
      return (e.severalRun() ? ExitCode.USAGE : ExitCode.UNREACHABLE).number();
    }
  }

  /** The way to the nodes of this host and user. */
  static StatusClient client() {
    return new StatusClient(
        Path.of("").toAbsolutePath(), RunRegistry.ofUser(System.getenv()), PATIENCE);
  }

  /** For a person; the parts that aren't normal come first. */
  static String describe(NodeStatus status) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            "node %s: %s%n",
            status.node(), status.isNormal() ? "all is normal" : "not everything is normal"));
    status.parts().stream()
        .filter(part -> !part.isNormal())
        .forEach(part -> row(text, part.name(), part.state() + ": " + part.reason()));
    status.parts().stream()
        .filter(NodeStatus.Part::isNormal)
        .forEach(part -> row(text, part.name(), part.state()));
    text.append('\n');
    row(text, "version", status.version() + ", process " + status.pid());
    row(text, "up", uptime(status.uptimeSeconds()) + ", since " + status.startedAt());
    row(text, "roles", String.join(", ", status.roles()));
    status.addresses().forEach((door, address) -> row(text, door, address));
    row(text, "files", status.filesDir() + free(status.freeBytes()));
    row(text, "data-dir", status.dataDir());
    if (status.quota().isLimited()) {
      row(text, "quota", quota(status.quota()));
    }
    row(text, "clients", clients(status.counters()));
    row(text, "sessions", numbers(status.sessions()));
    row(text, "transfers", transfers(status.counters()));
    if (status.backups().factor() > 0) {
      row(text, "copies", copies(status.backups()));
    }
    row(text, "upkeep", upkeep(status.files(), status.backups().factor() > 0));
    if (!status.errors().isEmpty()) {
      row(text, "errors", numbers(status.errors()));
    }
    status
        .certificates()
        .forEach((by, until) -> row(text, "valid", "certificate of " + by + ", until " + until));
    row(text, "code", code(status.code()));
    for (NodeStatus.Member member : status.cluster().members()) {
      row(
          text,
          "member",
          member.node()
              + " "
              + member.address()
              + " "
              + member.status()
              + (member.reachable() ? "" : ", can't be reached")
              + (member.address().equals(status.cluster().leader()) ? ", leader" : "")
              + (member.address().equals(status.cluster().self()) ? ", this node" : ""));
    }
    return text.toString();
  }

  private static void row(StringBuilder text, String name, String value) {
    text.append(String.format("  %-10s %s%n", name, Texts.escape(value)));
  }

  private static String code(NodeStatus.Code code) {
    return (code.serving().isEmpty() ? "none yet" : code.serving())
        + (code.act().isEmpty() ? "" : "; under way: " + code.act())
        + (code.following() == 0
            ? ""
            : String.format(Locale.ROOT, "; %,d sessions have yet to follow", code.following()));
  }

  private static String clients(Map<String, Long> counters) {
    return String.format(
        Locale.ROOT,
        "%,d connected, %,d refused",
        counters.getOrDefault("connections-open", 0L),
        counters.getOrDefault("connections-refused", 0L));
  }

  private static String transfers(Map<String, Long> counters) {
    return String.format(
        Locale.ROOT,
        "%,d of %,d downloads and %,d of %,d uploads completed, %s sent, %s received",
        counters.getOrDefault("downloads-completed", 0L),
        counters.getOrDefault("downloads-begun", 0L),
        counters.getOrDefault("uploads-completed", 0L),
        counters.getOrDefault("uploads-begun", 0L),
        size(counters.getOrDefault("bytes-sent", 0L)),
        size(counters.getOrDefault("bytes-received", 0L)));
  }

  private static String copies(NodeStatus.Backups backups) {
    return String.format(
        Locale.ROOT,
        "%d of each upload, on %d backups; %,d uploads are short of copies",
        backups.factor(),
        backups.known(),
        backups.shortOfCopies());
  }

  private static String upkeep(NodeStatus.Files files, boolean copies) {
    StringBuilder text = new StringBuilder();
    if (copies) {
      text.append(
          String.format(
              Locale.ROOT,
              "%s%,d files on too few nodes, %,d copied (%s)%s; ",
              files.copying()
                  ? String.format(Locale.ROOT, "looking, at file %,d: ", files.looked())
                  : "",
              files.shortOfCopies(),
              files.copiedFiles(),
              size(files.copiedBytes()),
              files.left() < 0
                  ? ""
                  : String.format(Locale.ROOT, ", %,d to be brought elsewhere", files.left())));
    }
    if (files.scrubbing()) {
      text.append(
          String.format(
              Locale.ROOT, "%,d of %,d files read", files.scrubbed(), files.scrubTotal()));
    } else {
      text.append(
          files.lastScrub().isEmpty() ? "files not read yet" : "all read at " + files.lastScrub());
    }
    return text.append(String.format(Locale.ROOT, ", %,d rotten", files.rotten())).toString();
  }

  private static String numbers(Map<String, Long> numbers) {
    StringBuilder text = new StringBuilder();
    numbers.forEach(
        (state, count) ->
            text.append(text.isEmpty() ? "" : ", ").append(count).append(' ').append(state));
    return text.isEmpty() ? "none" : text.toString();
  }

  private static String quota(NodeStatus.Quota quota) {
    List<String> used = new ArrayList<>();
    if (quota.maxBytes() > 0) {
      used.add(size(quota.usedBytes()) + " of " + size(quota.maxBytes()));
    }
    if (quota.maxFiles() > 0) {
      used.add(String.format(Locale.ROOT, "%,d of %,d files", quota.usedFiles(), quota.maxFiles()));
    }
    return String.join(", ", used);
  }

  private static String free(long bytes) {
    return bytes < 0 ? "" : " (" + size(bytes) + " free)";
  }

  private static String size(long bytes) {
    if (bytes >= 1L << 30) {
      return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
    }
    return bytes >= 1L << 20 ? (bytes >> 20) + " MiB" : bytes + " bytes";
  }

  private static String uptime(long seconds) {
    Duration up = Duration.ofSeconds(seconds);
    if (up.toDays() > 0) {
      return up.toDays() + " d " + up.toHoursPart() + " h";
    }
    if (up.toHours() > 0) {
      return up.toHours() + " h " + up.toMinutesPart() + " min";
    }
    return up.toMinutes() > 0
        ? up.toMinutes() + " min " + up.toSecondsPart() + " s"
        : seconds + " s";
  }
}
