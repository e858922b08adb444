package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.processes.TheseusProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code theseus demo} as a process, without a terminal. */
@Tag("processes")
final class DemoTest {
  private static final int SIGTERM_EXIT = 143;

  private static List<String> processesOf(Path dir) {
    return ProcessHandle.allProcesses()
        .map(process -> process.info().commandLine().orElse(""))
        .filter(command -> command.contains("data-dir=" + dir))
        .toList();
  }

  private static TheseusProcess demo(Path work, Path dir, String rate) throws IOException {
    Files.createDirectories(dir);
    return TheseusProcess.start(
        work, Map.of(), "demo", "--dir", dir.toString(), "--size", "64M", "--rate", rate);
  }

  @Test
  void shouldShowThatTransfersSurviveAKill(@TempDir Path work)
      throws IOException, InterruptedException {
    Path dir = work.resolve("demo");
    try (TheseusProcess demo = demo(work, dir, "4M")) {
      assertThat(demo.process().waitFor(4, TimeUnit.MINUTES)).as(demo.out()).isTrue();

      assertThat(demo.process().exitValue()).as(demo.out() + demo.err()).isZero();
      assertThat(demo.out())
          .containsPattern("get: goes on under steps@1.0.0 at \\d")
          .containsPattern("put: goes on under steps@1.0.0 at \\d")
          .containsPattern("get: goes on under standard@1.0.0 at \\d")
          .containsPattern("put: goes on under standard@1.0.0 at \\d")
          .containsPattern("node[23] copies what is put, while it comes")
          .containsPattern("node([23]) has fetched all of it, .*; node(?!\\1)[23] has let go of it")
          .contains("kill -9 ")
          .contains("Both transfers changed their code twice and survived the end of their node")
          .containsPattern("get +64\\.0 MiB .* equal")
          .containsPattern("put +64\\.0 MiB .* equal")
          .containsPattern("copy +64\\.0 MiB +on node[23] .* equal")
          .containsPattern(
              "copy was on node([23]), moved meanwhile,\n +and is on node(?!\\1)[23]: ")
          .containsPattern("Nothing of it is left on node[23]\\.")
          .doesNotContain("\u001b");
      assertThat(dir).isEmptyDirectory();
      assertThat(processesOf(dir)).isEmpty();
    }
  }

  /** Where it is about to start the node again that it killed: no other one is to come, then. */
  @Test
  void shouldCleanUpWhenItIsStopped(@TempDir Path work) throws IOException, InterruptedException {
    Path dir = work.resolve("demo");
    try (TheseusProcess demo = demo(work, dir, "4M")) {
      await()
          .atMost(Duration.ofMinutes(4))
          .until(() -> demo.out().contains("  kill -9 ") || !demo.process().isAlive());
      assertThat(processesOf(dir)).as(demo.out()).hasSize(2);

      demo.terminate();

      assertThat(demo.exitCode()).isEqualTo(SIGTERM_EXIT);
      assertThat(demo.out()).contains("Interrupted; cleaning up.").doesNotContain("FAILED");
      assertThat(dir).isEmptyDirectory();
      await().until(() -> processesOf(dir).isEmpty());
    }
  }
}
