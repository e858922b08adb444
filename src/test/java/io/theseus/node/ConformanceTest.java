package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.testing.Program;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real node, started from the jar, against a client in Python that was written from the protocol
 * page alone; and that client against a server with known bugs, which it has to notice.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class ConformanceTest {
  private static final Path SCRIPTS = Path.of("src/test/python");
  private static final Pattern CLIENTS = Pattern.compile("^ +clients +(\\S+):(\\d+)$");
  private static final int LIVE_BYTES = 100_000;
  private static final long START_SECONDS = 120;
  private static final long CHECKS_MINUTES = 10;

  /** Bugs of each kind: framing, windows, seeks, fencing, durability, visibility. */
  private static final List<String> BUGS =
      List.of(
          "window-passed",
          "seek-below-ignored",
          "not-fenced",
          "resume-from-zero",
          "partial-visible");

  @BeforeAll
  static void requirePython() {
    try {
      Process python = new ProcessBuilder("python3", "--version").start();
      assumeTrue(python.waitFor() == 0, "python3 does not run: no client of other making");
    } catch (IOException e) {
      assumeTrue(false, "python3 is not installed: no client of other making");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void shouldDoWhatThePageSaysForAClientOfOtherMaking(@TempDir Path directory) throws Exception {
    Path root = Files.createDirectory(directory.resolve("root"));
    Path live = directory.resolve("live.bin");
    byte[] content = new byte[LIVE_BYTES];
    new Random(1).nextBytes(content);
    Files.write(live, content);
    Path config = directory.resolve("node.conf");
    Files.writeString(
        config, "theseus.live { \"live/a\" = { command = [\"cat\", \"" + live + "\"] } }\n");
    Path log = directory.resolve("node.log");
    Process node = start(directory, config, root, log);
    try {
      Matcher address = address(node, log);
      List<String> lines =
          python(
              CHECKS_MINUTES,
              "client_conformance.py",
              "--host",
              address.group(1),
              "--port",
              address.group(2),
              "--root",
              root.toString(),
              "--live",
              "live/a",
              "--live-size",
              String.valueOf(LIVE_BYTES),
              "--live-pattern",
              live.toString());
      assertThat(lines).filteredOn(line -> line.startsWith("FAIL")).isEmpty();
      assertThat(lines.get(lines.size() - 1)).matches("\\d{3,} passed, 0 failed, \\d skipped");
      assertThat(node.isAlive()).as("the node lives on").isTrue();
      assertThat(Files.readString(log)).doesNotContain("unexpected failure", "Exception");
    } finally {
      node.destroy();
      if (!node.waitFor(30, TimeUnit.SECONDS)) {
        node.destroyForcibly().waitFor();
      }
    }
  }

  @Test
  void shouldBeJudgedByAClientThatNoticesBugs() throws Exception {
    List<String> arguments = new ArrayList<>(List.of("--quick"));
    for (String bug : BUGS) {
      arguments.add("--only");
      arguments.add(bug);
    }
    List<String> lines = python(CHECKS_MINUTES, "selftest.py", arguments.toArray(String[]::new));
    assertThat(lines).filteredOn(line -> line.startsWith("FAIL")).isEmpty();
    assertThat(lines.get(lines.size() - 1)).isEqualTo(BUGS.size() + " passed, 0 failed");
  }

  private static Process start(Path directory, Path config, Path root, Path log)
      throws IOException {
    return Program.command(
            directory,
            List.of("-Xmx512m"),
            List.of(
                "node",
                "--config",
                config.toString(),
                "--root",
                root.toString(),
                "--set",
                "data-dir=" + directory.resolve("data"),
                "--set",
                "packets.port=0",
                "--set",
                "cluster.port=0",
                "--set",
                "packets.idle=10s"))
        .redirectError(log.toFile())
        .start();
  }

  private static Matcher address(Process node, Path log) throws Exception {
    AtomicReference<Matcher> found = new AtomicReference<>();
    Thread reader =
        new Thread(
            () -> {
              try (BufferedReader lines =
                  new BufferedReader(
                      new InputStreamReader(node.getInputStream(), StandardCharsets.UTF_8))) {
                String line;
                while (found.get() == null && (line = lines.readLine()) != null) {
                  Matcher matcher = CLIENTS.matcher(line);
                  if (matcher.matches()) {
                    found.set(matcher);
                  }
                }
              } catch (IOException e) {
                // the node has ended: nothing was found
              }
            },
            "node-greeting");
    reader.setDaemon(true);
    reader.start();
    reader.join(TimeUnit.SECONDS.toMillis(START_SECONDS));
    Matcher address = found.get();
    assertThat(address).as("the node's address; its log: %s", Files.readString(log)).isNotNull();
    return address;
  }

  /** The lines that a script prints. */
  private static List<String> python(long minutes, String script, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>(List.of("python3", SCRIPTS.resolve(script).toString()));
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile("conformance", ".out");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      boolean ended = process.waitFor(minutes, TimeUnit.MINUTES);
      List<String> lines = Files.readAllLines(output);
      assertThat(ended).as("%s ended in time; it said %s", script, lines).isTrue();
      assertThat(lines).as("lines of %s", script).isNotEmpty();
      return lines;
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      Files.delete(output);
    }
  }
}
