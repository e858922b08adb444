package io.theseus.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
    String fields = ownFile(loop, "stat");
    return Integer.parseInt(fields.substring(fields.lastIndexOf(')') + 2).split(" ", -1)[NICE]);
  }

  /** What the kernel says of a loop's thread. */
  private static String ownFile(Executor loop, String file) throws Exception {
    CompletableFuture<String> read = new CompletableFuture<>();
    loop.execute(
        () -> {
          try {
            read.complete(Files.readString(Path.of("/proc/thread-self", file)));
          } catch (Exception e) {
            read.completeExceptionally(e);
          }
        });
    return read.get(10, TimeUnit.SECONDS);
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

  /** Otherwise who runs may go on for milliseconds when one of them is woken. */
  @Test
  void shouldHaveTheShortestTurnsWhereTheyGoBeforeOthers() throws Exception {
    try (Loops loops = new Loops(1, -1, "test", Runnable::run)) {
      assumeTrue(niceOf(loops.executors().get(0)) == -1, "this process may go before others");
      String turn = ownFile(loops.executors().get(0), "sched");
      assumeTrue(turn.contains("se.slice"), "Linux 6.12");
      assertThat(turn).containsPattern("se\\.slice +: +100000\n");
    }
  }

  /** Pools make a thread where somebody gives them a task. */
  @Test
  void shouldMakeThreadsThatDoNotGoBeforeOthers() throws Exception {
    try (Loops loops = new Loops(1, -1, "test", Runnable::run)) {
      Executor loop = loops.executors().get(0);
      assumeTrue(niceOf(loop) == -1, "this process may go before others");
      Executor another = task -> loop.execute(() -> new Thread(task).start());
      assertThat(niceOf(another)).isZero();
      assertThat(ownFile(another, "sched")).doesNotContainPattern("se\\.slice +: +100000\n");
    }
  }
}
