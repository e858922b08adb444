package io.theseus.cli;

import io.theseus.client.TransferResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What became of each file of a folder: a line of JSON for each where that was asked for, a summary
 * with the lists of what was left out and what failed, and the exit code.
 */
final class TreeReport {
  private record Item(String name, String why) {}

  private final String command;
  private final Streams streams;
  private final CommonOptions options;
  private final long beganNanos = System.nanoTime();
  private final List<Item> leftOut = new ArrayList<>();
  private final List<Item> failed = new ArrayList<>();
  private Optional<Failure> end = Optional.empty();
  private long complete;
  private long unchanged;
  private long bytes;
  private long notTried;

  TreeReport(String command, Streams streams, CommonOptions options) {
    this.command = command;
    this.streams = streams;
    this.options = options;
  }

  void complete(String name, String file, TransferResult result) {
    complete++;
    bytes += Math.max(0, result.sizeBytes() - result.resumedFrom());
    json(TransferCommand.describe(line(name, file), result));
  }

  /** Nothing had to be done: the same is there already. */
  void unchanged(String name, String file, long size) {
    unchanged++;
    json(line(name, file).put("outcome", "unchanged").put("size", size));
  }

  /** Nothing that could be transferred. */
  void leftOut(String name, String why) {
    leftOut.add(new Item(name, why));
    json(line(name, null).put("outcome", "left-out").put("reason", why));
  }

  void failed(String name, Failure failure) {
    failed.add(new Item(name, failure.message()));
    json(line(name, null).put("outcome", "failed").failure(failure));
  }

  /** The run ends here, for a reason that the other files would meet too. */
  void ended(Failure failure, long filesLeft) {
    end = Optional.of(failure);
    notTried = filesLeft;
  }

  /** Prints the summary; what the command exits with. */
  ExitCode finish() {
    Duration took = Duration.ofNanos(System.nanoTime() - beganNanos);
    ExitCode exit =
        end.map(Failure::exit).orElse(failed.isEmpty() ? ExitCode.OK : ExitCode.SOME_FAILED);
    json(
        new JsonLine()
            .put("command", command)
            .put("outcome", exit == ExitCode.OK ? "complete" : "failed")
            .put("exitCode", exit.number())
            .put("complete", complete)
            .put("unchanged", unchanged)
            .put("leftOut", leftOut.size())
            .put("failed", failed.size())
            .put("notTried", notTried)
            .put("bytes", bytes)
            .seconds("seconds", took));
    if (!options.quiet) {
      streams.err().println(summary(took));
      list("Left out:", leftOut);
    }
    list("Failed:", failed);
    if (notTried > 0) {
      streams.err().println("Not tried any more: " + Display.count(notTried, "file") + ".");
    }
    return exit;
  }

  private String summary(Duration took) {
    StringBuilder out = new StringBuilder();
    out.append(Display.count(complete, "file")).append(", ").append(Display.size(bytes));
    out.append(" in ").append(Display.took(took));
    if (bytes > 0) {
      out.append(" (").append(Display.rate(bytes, took)).append(')');
    }
    if (unchanged > 0) {
      out.append("; ").append(unchanged).append(" the same already");
    }
    if (!leftOut.isEmpty()) {
      out.append("; ").append(leftOut.size()).append(" left out");
    }
    if (!failed.isEmpty()) {
      out.append("; ").append(failed.size()).append(" failed");
    }
    return out.append('.').toString();
  }

  private void list(String title, List<Item> items) {
    if (!items.isEmpty()) {
      streams.err().println(title);
      for (Item item : items) {
        streams.err().println("  " + Display.name(item.name) + "  " + Display.name(item.why));
      }
    }
  }

  private JsonLine line(String name, @org.jspecify.annotations.Nullable String file) {
    return new JsonLine().put("command", command).put("name", name).put("file", file);
  }

  private void json(JsonLine line) {
    if (options.json) {
      streams.out().println(line);
      streams.out().flush();
    }
  }
}
