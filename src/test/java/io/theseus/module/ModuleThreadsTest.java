package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Calls that don't return in time. */
class ModuleThreadsTest {
  private final AtomicLong now = new AtomicLong();
  private final CountDownLatch there = new CountDownLatch(2);

  /** What it returns when it is told to stop is half of something. */
  private String hang() {
    there.countDown();
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return "half";
  }

  @Test
  void shouldNotHearWhatCodeReturnsWhenItIsToldToStop() throws Exception {
    Duration deadline = Duration.ofSeconds(1);
    try (ModuleThreads threads = new ModuleThreads("one", 2, deadline, now::get)) {
      CompletionStage<String> first = threads.line().call("a@1", "next", this::hang);
      CompletionStage<String> second = threads.line().call("b@1", "payload", this::hang);
      there.await();
      assertThat(threads.check()).isNull();
      now.set(deadline.toNanos() + 1);
      assertThat(threads.check()).as("it is only suspected").isNull();
      assertThat(await().until(threads::check, Objects::nonNull))
          .isEqualTo("a@1: next did not return within 1000 ms");
      assertThat(threads.isOver()).isTrue();
      assertFailed(first, "a@1: next did not return within 1000 ms");
      assertFailed(second, "one: a@1: next did not return within 1000 ms");
      assertFailed(
          threads.line().call("c@1", "next", () -> "late"),
          "one: a@1: next did not return within 1000 ms");
    }
  }

  /** In a system call a thread is "runnable", and uses no processor: as one that gets none. */
  @Test
  void shouldLeaveTimeToWhatCanNotGoOn() throws Exception {
    Duration deadline = Duration.ofSeconds(1);
    try (ServerSocket nobody = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ModuleThreads threads = new ModuleThreads("one", 1, deadline, now::get)) {
      CompletionStage<String> call =
          threads
              .line()
              .call(
                  "a@1",
                  "next",
                  () -> {
                    there.countDown();
                    there.countDown();
                    nobody.accept().close();
                    return "late";
                  });
      there.await();
      now.set(5 * deadline.toNanos());
      for (int i = 0; i < 5; i++) {
        assertThat(threads.check()).isNull();
      }
      now.set(10 * deadline.toNanos() + 1);
      assertThat(threads.check()).isEqualTo("a@1: next did not return within 1000 ms");
      assertFailed(call, "a@1: next did not return within 1000 ms");
    }
  }

  private static void assertFailed(CompletionStage<String> call, String reason) {
    assertThatThrownBy(call.toCompletableFuture()::join)
        .cause()
        .isInstanceOf(CodeException.class)
        .hasMessage(reason);
  }
}
