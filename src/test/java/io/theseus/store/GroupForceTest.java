package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who shares an fsync with whom. */
class GroupForceTest {
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void close() {
    threads.shutdownNow();
  }

  @Test
  void shouldForceOnceForAllWhoAskMeanwhileAndAgainForThem() throws Exception {
    GroupForce group = new GroupForce();
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch slow = new CountDownLatch(1);
    GroupForce.Call call =
        () -> {
          if (calls.incrementAndGet() == 1) {
            uninterruptibly(slow);
          }
        };
    List<CompletableFuture<Void>> all = new ArrayList<>();
    all.add(force(group, call));
    await().until(() -> calls.get() == 1);
    CountDownLatch asking = new CountDownLatch(5);
    List<Thread> askers = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      all.add(
          CompletableFuture.runAsync(
              () -> {
                synchronized (askers) {
                  askers.add(Thread.currentThread());
                }
                asking.countDown();
                run(group, call);
              },
              threads));
    }
    assertThat(asking.await(30, TimeUnit.SECONDS)).isTrue();
    await().until(() -> askers.stream().allMatch(each -> each.getState() == Thread.State.WAITING));
    assertThat(calls).as("they came too late for the first").hasValue(1);
    slow.countDown();
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get(30, TimeUnit.SECONDS);
    assertThat(calls).hasValue(2);
  }

  @Test
  void shouldFailForAllThatFollowAFailure() {
    GroupForce group = new GroupForce();
    assertThatThrownBy(
            () ->
                group.force(
                    () -> {
                      throw new IOException("Input/output error");
                    }))
        .hasMessage("Input/output error");
    assertThatThrownBy(() -> group.force(() -> {})).hasMessage("Input/output error");
  }

  @Test
  void shouldLetOthersMakeTheirOwnWhereOneHadNoDescriptor() throws Exception {
    shouldLetOthersMakeTheirOwnBehind(
        () -> {
          throw new IOException("Too many open files");
        });
  }

  @Test
  void shouldNotTakeOneThatBrokeForAnFsync() throws Exception {
    shouldLetOthersMakeTheirOwnBehind(
        () -> {
          throw new IllegalStateException("closed");
        });
  }

  /** One that runs, one behind it that is not made, and one who had joined that. */
  private void shouldLetOthersMakeTheirOwnBehind(GroupForce.Call broken) throws Exception {
    GroupForce group = new GroupForce();
    CountDownLatch slow = new CountDownLatch(1);
    AtomicInteger begun = new AtomicInteger();
    CompletableFuture<Void> first =
        force(
            group,
            () -> {
              begun.incrementAndGet();
              uninterruptibly(slow);
            });
    await().until(() -> begun.get() == 1);
    CompletableFuture<Void> second = waiting(group, broken);
    AtomicInteger calls = new AtomicInteger();
    CompletableFuture<Void> third = waiting(group, calls::incrementAndGet);
    slow.countDown();
    first.get(30, TimeUnit.SECONDS);
    third.get(30, TimeUnit.SECONDS);
    assertThat(calls).hasValue(1);
    assertThat(second).failsWithin(30, TimeUnit.SECONDS);
  }

  /** Somebody who has asked, and waits. */
  private CompletableFuture<Void> waiting(GroupForce group, GroupForce.Call call) {
    CompletableFuture<Thread> asker = new CompletableFuture<>();
    CompletableFuture<Void> answer =
        CompletableFuture.runAsync(
            () -> {
              asker.complete(Thread.currentThread());
              run(group, call);
            },
            threads);
    await().until(() -> asker.join().getState() == Thread.State.WAITING);
    return answer;
  }

  private CompletableFuture<Void> force(GroupForce group, GroupForce.Call call) {
    return CompletableFuture.runAsync(() -> run(group, call), threads);
  }

  private static void run(GroupForce group, GroupForce.Call call) {
    try {
      group.force(call);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void uninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
