package io.theseus.cli;

import io.theseus.client.ClientSettings;
import io.theseus.client.TransferListener;
import io.theseus.client.TransferResult;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code get} and {@code put} have in common. */
abstract class TransferCommand extends ClientCommand {
  @Option(
      names = {"-r", "--recursive"},
      description = "Transfer a whole folder; modification times are kept.")
  boolean recursive;

  @Option(
      names = {"-c", "--continue"},
      description = "Go on with what an earlier run left unfinished.")
  boolean resume;

  @Option(
      names = {"-w", "--window"},
      paramLabel = "SIZE",
      converter = Sizes.class,
      description = {
        "Bytes that may be on their way; 0: one packet at a time (stop-and-wait).",
        "More helps on fast links over long distances. Default: 32M."
      })
  @Nullable Long window;

  @Option(
      names = "--limit-rate",
      paramLabel = "SIZE",
      converter = Sizes.class,
      description = "At most so many bytes a second, like 500K or 20M.")
  @Nullable Long limitRate;

  private RateLimit.@Nullable Pace pace;

  TransferCommand(Streams streams) {
    super(streams);
  }

  @Override
  void configure(ClientSettings.Builder settings) {
    if (limitRate != null) {
      if (limitRate < 1) {
        throw new IllegalArgumentException("--limit-rate: " + limitRate + " (expected: >= 1)");
      }
      RateLimit.configure(settings, limitRate);
    }
    if (window != null) {
      settings.windowBytes(window);
    }
  }

  /** The listener, slowed down where that was asked for. */
  final TransferListener limited(TransferListener listener) {
    if (limitRate == null) {
      return listener;
    }
    if (pace == null) {
      pace = new RateLimit.Pace(limitRate);
    }
    return new RateLimit(listener, pace);
  }

  /** Ends a transfer of many files: the summary, and how to go on where it isn't complete. */
  final ExitCode end(TreeReport report) {
    ExitCode exit = report.finish();
    if (exit != ExitCode.OK && !afterInterrupt().isEmpty()) {
      streams.err().println(afterInterrupt());
    }
    return exit;
  }

  /** What is told of a transfer that is complete. */
  final String summary(String what, TransferResult result) {
    long moved = Math.max(0, result.sizeBytes() - result.resumedFrom());
    StringBuilder out = new StringBuilder();
    out.append(Display.name(what)).append(": ").append(Display.size(result.sizeBytes()));
    if (result.resumedFrom() > 0) {
      out.append(", ").append(Display.size(moved)).append(" of it now,");
    }
    out.append(" in ").append(Display.took(result.took()));
    if (moved > 0) {
      out.append(" (").append(Display.rate(moved, result.took())).append(')');
    }
    if (result.reconnects() > 0) {
      out.append(", ").append(Display.count(result.reconnects(), "reconnect"));
    }
    out.append("\nSHA-256 ").append(result.sha256());
    out.append(result.verified() ? ", as the node says" : ", which the node did not confirm");
    return out.toString();
  }

  /** The members of a line of JSON about a transfer that is complete. */
  static JsonLine describe(JsonLine line, TransferResult result) {
    return line.put("outcome", "complete")
        .put("size", result.sizeBytes())
        .put("sha256", result.sha256())
        .put("verified", result.verified())
        .put("identity", result.identity())
        .put("session", result.session().toString())
        .put("node", result.node().toString())
        .put("resumedFrom", result.resumedFrom())
        .put("reconnects", result.reconnects())
        .seconds("seconds", result.took());
  }
}
