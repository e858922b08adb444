package io.theseus.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
final class LoopsTest {
  /** Which field of proc_pid_stat(5), from the one behind the name on. */
  private static final int NICE = 16;

  private static int niceOf(Executor loop) throws Exception {
    CompletableFuture<String> stat = new CompletableFuture<>();
    loop.execute(
        () -> {
          try {
            stat.complete(Files.readString(Path.of("/proc/thread-self/stat")));
          } catch (Exception e) {
            stat.completeExceptionally(e);
          }
        });
    String fields = stat.get(10, TimeUnit.SECONDS);
    return Integer.parseInt(fields.substring(fields.lastIndexOf(')') + 2).split(" ", -1)[NICE]);
  }

  private static List<Integer> nice(int wanted) throws Exception {
    List<Integer> found = new ArrayList<>();
    try (Loops loops = new Loops(2, wanted, "test", Runnable::run)) {
      for (Executor each : loops.executors()) {
        found.add(niceOf(each));
      }
    }
    return found;
  }

  @Test
  void shouldHaveThePriorityThatIsWanted() throws Exception {
    List<Integer> usual = nice(0);
    assertThat(usual).hasSize(2).doesNotContain(7);
    assertThat(nice(7)).containsExactly(7, 7);
    assertThat(nice(0)).as("nobody else's").isEqualTo(usual);
  }
}
