package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.testing.Program;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code cluster/lab/run}: hosts in network namespaces, which are gone afterwards, however it ends.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
class LabTest {
  private static final Path SCRIPT = Path.of("cluster/lab/run").toAbsolutePath();
  private static final Duration PATIENCE = Duration.ofMinutes(6);
  private static final int CANNOT = 77;

  @TempDir Path directory;

  @BeforeEach
  void needsNamespaces() throws Exception {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "not root");
    try {
      assumeTrue(ip("netns", "add", "theseus-lab-try") == 0, "no network namespaces here");
    } catch (IOException e) {
      assumeTrue(false, "ip is not installed");
    }
    ip("netns", "delete", "theseus-lab-try");
  }

  @Test
  void shouldShowPauseAndSwitchAndLeaveNothing() throws Exception {
    // an earlier one that could clean up nothing
    Process killed = start("killed");
    await()
        .atMost(PATIENCE)
        .until(() -> !killed.isAlive() || said("killed").contains("2. A node on H1"));
    List<ProcessHandle> left = new ArrayList<>(killed.descendants().toList());
    left.add(killed.toHandle());
    killed.destroyForcibly().waitFor();
    assertThat(namespaces()).as("left by who was killed: %s", said("killed")).isNotEmpty();

    Process run = start("run");
    assertThat(run.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("ends").isTrue();

    assertThat(run.exitValue()).as("exit code; it said:%n%s", said("run")).isZero();
    assertThat(said("run"))
        .contains("H2 10.0.0.2 is registered as a backup of H1")
        .contains("resumed, it goes on at 2400")
        .contains("H4: h4-s.cpp")
        .contains("a quarter of it is on H1 and H2, nothing on H3")
        .contains("H3: up.bin, 67108864 bytes")
        .endsWith("All is as it has to be\n");
    assertThat(namespaces()).isEmpty();
    assertThat(left).as("processes of who was killed").noneMatch(ProcessHandle::isAlive);
  }

  @Test
  void shouldLeaveNothingWhenItIsInterrupted() throws Exception {
    Process run = start("run");
    await().atMost(PATIENCE).until(() -> !run.isAlive() || said("run").contains("2. A node on H1"));
    List<ProcessHandle> started = run.descendants().toList();
    run.destroy();

    assertThat(run.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("ends").isTrue();

    assertThat(run.exitValue()).as("exit code; it said:%n%s", said("run")).isEqualTo(143);
    assertThat(namespaces()).isEmpty();
    await().atMost(PATIENCE).until(() -> started.stream().noneMatch(ProcessHandle::isAlive));
  }

  @Test
  void shouldSayWhatItNeeds() throws Exception {
    Process nobody =
        started("nobody", List.of("setpriv", "--reuid=65534", "--clear-groups", SCRIPT.toString()));
    assertThat(nobody.waitFor()).isEqualTo(CANNOT);
    assertThat(said("nobody")).contains("(expected: root, for network namespaces)");

    Process wrong = start("wrong", "--kepe");
    assertThat(wrong.waitFor()).isEqualTo(2);
    assertThat(said("wrong")).contains("--kepe (expected: --keep, --help)");
  }

  private Process start(String name, String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
    command.addAll(List.of(options));
    return started(name, command);
  }

  private Process started(String name, List<String> command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve(name).toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("THESEUS_JAVA_OPTS", Program.startFast());
    return builder.start();
  }

  private String said(String name) throws IOException {
    return Files.readString(directory.resolve(name));
  }

  private static String namespaces() throws Exception {
    Process list = new ProcessBuilder("ip", "netns", "list").start();
    String all = new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return String.join("\n", all.lines().filter(line -> line.startsWith("theseus-lab-")).toList());
  }

  private static int ip(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
