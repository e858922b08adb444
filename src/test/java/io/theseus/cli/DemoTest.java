package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code theseus demo} as a process, without a terminal. */
@Tag("processes")
final class DemoTest {
  private static final Path JAR = Path.of("target", "theseus.jar");

  private static final int SIGTERM_EXIT = 143;

  private static Process start(Path dir, Path output, String... more) throws IOException {
    String java = System.getProperty("process.java", "");
    List<String> command = new ArrayList<>();
    command.add(
        java.isEmpty() ? Path.of(System.getProperty("java.home"), "bin", "java").toString() : java);
    command.addAll(List.of("-jar", JAR.toString(), "demo", "--dir", dir.toString()));
    command.addAll(List.of(more));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  private static String read(Path output) throws IOException {
    return Files.readString(output, StandardCharsets.UTF_8);
  }

  private static List<Long> nodesBelow(Path dir) {
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().commandLine().orElse("").contains(dir.toString()))
        .map(ProcessHandle::pid)
        .toList();
  }

  @Test
  void shouldShowThatTransfersSurviveAKill(@TempDir Path temporary)
      throws IOException, InterruptedException {
    Path dir = Files.createDirectories(temporary.resolve("demo"));
    Path output = temporary.resolve("output");

    Process demo = start(dir, output, "--size", "64M", "--rate", "8M", "--seed", "7");

    assertThat(demo.waitFor(4, TimeUnit.MINUTES)).as(read(output)).isTrue();
    String text = read(output);
    assertThat(demo.exitValue()).as(text).isZero();
    assertThat(text)
        .contains("kill -9 ")
        .contains("Both transfers survived the end of the node")
        .containsPattern("get +64\\.0 MiB .* equal")
        .containsPattern("put +64\\.0 MiB .* equal")
        .doesNotContain("\u001b");
    try (var left = Files.list(dir)) {
      assertThat(left).isEmpty();
    }
    assertThat(nodesBelow(dir)).isEmpty();
  }

  @Test
  void shouldCleanUpWhenItIsStopped(@TempDir Path temporary)
      throws IOException, InterruptedException {
    Path dir = Files.createDirectories(temporary.resolve("demo"));
    Path output = temporary.resolve("output");
    Process demo = start(dir, output, "--size", "64M", "--rate", "1M");
    Awaitility.await()
        .atMost(2, TimeUnit.MINUTES)
        .until(() -> read(output).contains("3. Getting one file"));

    // as Ctrl-C, which a process that was started in the background may ignore
    demo.destroy();

    assertThat(demo.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(demo.exitValue()).as(read(output)).isEqualTo(SIGTERM_EXIT);
    try (var left = Files.list(dir)) {
      assertThat(left).isEmpty();
    }
    Awaitility.await().until(() -> nodesBelow(dir).isEmpty());
  }
}
