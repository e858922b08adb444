package io.theseus.testing;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * System calls of a running process, watched and falsified by strace(1) from {@link #attach} to
 * {@link #close}.
 *
 * <p>A test is skipped where strace is missing or may not trace.
 */
public final class Strace implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final Process strace;
  private final Path trace;

  private Strace(Process strace, Path trace) {
    this.strace = strace;
    this.trace = trace;
  }

  /**
   * Attaches to all threads of a process; returns when they are.
   *
   * @param directory for its files
   * @param calls what is traced: {@code fsync,fdatasync}
   * @param inject what comes of them: {@code error=EIO}, {@code retval=0} (they are not done)
   */
  public static Strace attach(Path directory, long pid, String calls, String inject)
      throws IOException {
    Path trace = directory.resolve("strace.trace");
    Path said = directory.resolve("strace.log");
    Process strace;
    try {
      strace =
          new ProcessBuilder(
                  List.of(
                      "strace",
                      "-f",
                      "-y",
                      "-o",
                      trace.toString(),
                      "-e",
                      "trace=" + calls,
                      "-e",
                      "inject=" + calls + ":" + inject,
                      "-p",
                      String.valueOf(pid)))
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
    } catch (IOException e) {
      assumeTrue(false, "strace is not installed: skipped");
      throw e;
    }
    await("strace is attached")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> !strace.isAlive() || Files.readString(said).contains(" attached"));
    assumeTrue(strace.isAlive(), "strace may not trace here: skipped");
    return new Strace(strace, trace);
  }

  /** The calls that were falsified so far, one a line. */
  public List<String> calls() throws IOException {
    return Files.readAllLines(trace).stream().filter(line -> line.contains("INJECTED")).toList();
  }

  /** Lets the process go, and waits for it. */
  @Override
  public void close() {
    strace.destroy();
    strace.onExit().join();
  }
}
