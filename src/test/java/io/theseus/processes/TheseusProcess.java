package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.admin.jmx.RunFile;
import io.theseus.testing.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code java -jar target/theseus.jar ...} as a process of its own, its output in files.
 *
 * <p>A process that still runs at the end is killed.
 */
public final class TheseusProcess implements AutoCloseable {
  private static final Duration LONG = Duration.ofMinutes(3);
  private static final long SIGINT_BIT = 1 << (2 - 1);

  private final Process process;
  private final Path out;
  private final Path err;

  private TheseusProcess(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /** Starts a command in a working directory. */
  public static TheseusProcess start(
      Path work, Map<String, String> environment, String... arguments) throws IOException {
    Path out = Files.createTempFile(work, "theseus-", ".out");
    Path err = Files.createTempFile(work, "theseus-", ".err");
    List<String> flags = new ArrayList<>(List.of("-Xmx256m"));
    flags.addAll(Program.START_FAST);
    ProcessBuilder builder =
        Program.command(work, flags, List.of(arguments))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().putAll(environment);
    return new TheseusProcess(builder.start(), out, err);
  }

  /** Starts a node in {@code work}, on free ports, and waits until its status can be asked. */
  public static TheseusProcess node(Path work, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of("node", "--set", "packets.port=0", "--set", "cluster.port=0"));
    arguments.addAll(List.of(more));
    TheseusProcess node = start(work, Map.of(), arguments.toArray(new String[0]));
    boolean serves = false;
    try {
      await()
          .atMost(LONG)
          .until(() -> !node.process.isAlive() || node.out().contains("Stop it with Ctrl-C."));
      assertThat(node.process.isAlive()).as(node.err()).isTrue();
      serves = true;
      return node;
    } finally {
      if (!serves) {
        node.close();
      }
    }
  }

  public Process process() {
    return process;
  }

  public String out() throws IOException {
    return Files.readString(out);
  }

  public String err() throws IOException {
    return Files.readString(err);
  }

  /** Waits for the end; the exit code. */
  public int exitCode() throws InterruptedException, IOException {
    assertThat(process.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).as("ended: %s", err()).isTrue();
    return process.exitValue();
  }

  /** SIGTERM. */
  public void terminate() {
    process.destroy();
  }

  /**
   * A signal by its name; INT as Ctrl-C sends it. Skips the test where whoever started it (a shell,
   * in the background) has it ignored, which processes inherit.
   */
  public void signal(String name) throws IOException, InterruptedException {
    if (name.equals("INT")) {
      Matcher ignored =
          Pattern.compile("SigIgn:\\s+(\\p{XDigit}+)")
              .matcher(Files.readString(Path.of("/proc/" + process.pid() + "/status")));
      assertThat(ignored.find()).isTrue();
      assumeTrue(
          (Long.parseUnsignedLong(ignored.group(1), 16) & SIGINT_BIT) == 0,
          "SIGINT is ignored by whoever started the tests");
    }
    Process kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid()).start();
    assertThat(kill.waitFor()).isZero();
  }

  /** {@code kill -9}. */
  public void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** What the node of a data directory says about itself. */
  public static RunFile runFile(Path dataDir) {
    return RunFile.read(RunFile.in(dataDir)).orElseThrow();
  }

  @Override
  public void close() {
    kill();
  }
}
