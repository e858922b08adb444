package io.theseus.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.Direction;
import io.theseus.channel.FairnessPolicy;
import io.theseus.channel.SessionInfo;
import io.theseus.module.Revision;
import io.theseus.module.Switchboard;
import io.theseus.module.TestRevisions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a bandwidth of 1000 bytes a second is divided, on a clock of the test. */
class BandwidthTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int BUDGET = 100;

  private final Switchboard switchboard = new Switchboard();
  private final List<Misbehaviour> misbehaviours = new CopyOnWriteArrayList<>();
  private final List<Runnable> timer = new ArrayList<>();
  private final CountDownLatch gate = new CountDownLatch(1);
  private long now = 5;
  private final Bandwidth bandwidth =
      new Bandwidth(
          10L * BUDGET,
          switchboard,
          misbehaviours::add,
          (time, task) -> timer.add(task),
          () -> now);

  @AfterEach
  void open() {
    gate.countDown();
  }

  /** A worker that grants whatever it gets. */
  private final class Worker {
    private final Bandwidth.Portion portion;
    private long wants;
    private final AtomicLong got = new AtomicLong();

    Worker(long wants) {
      this.wants = wants;
      long order = bandwidth.order();
      portion =
          bandwidth.portion(
              order,
              new SessionInfo(
                  new UUID(0, order), Direction.GET, "f", OptionalLong.empty(), "test"));
      portion.onGiven(this::take);
      take();
    }

    void take() {
      if (wants > 0) {
        long taken = portion.take(wants);
        wants -= taken;
        got.addAndGet(taken);
      }
    }
  }

  /** The next interval begins. */
  private void interval() {
    assertThat(timer).hasSize(1);
    timer.remove(0).run();
    now += Bandwidth.INTERVAL.toNanos();
  }

  private Revision publish(FairnessPolicy policy, Duration deadline) {
    Revision revision = TestRevisions.fairness("fair", () -> policy, deadline);
    switchboard.publish(revision, Optional.empty(), Revision.builtIn());
    return revision;
  }

  private void publish(FairnessPolicy policy) {
    publish(policy, Duration.ofMinutes(5));
  }

  private static long[] got(Worker... workers) {
    long[] got = new long[workers.length];
    for (int i = 0; i < got.length; i++) {
      got[i] = workers[i].got.get();
    }
    return got;
  }

  private void awaitGot(Worker worker, long bytes) {
    await().atMost(PATIENCE).until(() -> worker.got.get() == bytes);
  }

  @Test
  void shouldServeWhoHasWaitedLongest() {
    Worker first = new Worker(150);
    Worker second = new Worker(30);
    Worker third = new Worker(1000);
    assertThat(got(first, second, third)).containsExactly(0, 0, 0);
    interval();
    assertThat(got(first, second, third)).containsExactly(100, 0, 0);
    interval();
    assertThat(got(first, second, third)).containsExactly(100, 30, 70);
    interval();
    assertThat(got(first, second, third)).containsExactly(150, 30, 120);
  }

  @Test
  void shouldSaveNothingForLaterAndRestWhereNobodyWaits() {
    Worker first = new Worker(10);
    interval();
    interval(); // nobody waits
    assertThat(timer).isEmpty();
    now += Duration.ofHours(1).toNanos();
    Worker second = new Worker(10_000);
    interval();
    assertThat(got(first, second)).containsExactly(10, 2 * BUDGET);
    interval();
    assertThat(got(first, second)).containsExactly(10, 3 * BUDGET);
  }

  @Test
  void shouldAskThePolicyInTheOrderOfTheSessions() {
    List<Long> budgets = new CopyOnWriteArrayList<>();
    List<List<Long>> wanted = new CopyOnWriteArrayList<>();
    publish(
        (budget, demands) -> {
          budgets.add(budget);
          wanted.add(demands.stream().map(FairnessPolicy.Demand::wanted).toList());
          long[] shares = new long[demands.size()];
          shares[shares.length - 1] = Math.min(budget, demands.get(shares.length - 1).wanted());
          return shares;
        });
    Worker first = new Worker(500);
    Worker second = new Worker(130);
    interval();
    awaitGot(second, 100);
    interval();
    awaitGot(second, 130);
    interval();
    awaitGot(first, 100);
    assertThat(budgets).containsExactly(100L, 100L, 100L);
    assertThat(wanted).containsExactly(List.of(500L, 130L), List.of(500L, 30L), List.of(500L));
    assertThat(misbehaviours).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fairness@2.0.0: share threw java.lang.IllegalStateException: broken",
        "fairness@2.0.0: share returned null (expected: an answer)",
        "fairness@2.0.0: shares: 2 (expected: 1, one for each)",
        "fairness@2.0.0: share: -1 (expected: 0 to 1000)",
        "fairness@2.0.0: share: 1001 (expected: 0 to 1000)",
        "fairness@2.0.0: together: 101 (expected: at most 100)",
      })
  void shouldServeWithoutAPolicyThatFails(String message) {
    publish(
        (budget, demands) -> {
          if (message.contains("threw")) {
            throw new IllegalStateException("broken");
          } else if (message.contains("null")) {
            return nothing();
          } else if (message.contains("one for each")) {
            return new long[2];
          }
          return new long[] {
            Long.parseLong(message.replaceAll("^.*(share|together): (-?\\d+) .*$", "$2"))
          };
        });
    Worker worker = new Worker(1000);
    interval();
    awaitGot(worker, 100);
    await().atMost(PATIENCE).until(() -> misbehaviours.size() == 1);
    assertThat(misbehaviours.get(0).what()).startsWith(message);
    interval();
    assertThat(worker.got.get()).as("not asked again").isEqualTo(200);
    assertThat(misbehaviours).hasSize(1);
  }

  /** What code that isn't checked as ours is may return. */
  @SuppressWarnings("NullAway")
  private static long[] nothing() {
    return null;
  }

  @Test
  void shouldNotWaitForAPolicyThatIsLateOrHangs() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    Revision revision =
        publish(
            (budget, demands) -> {
              asked.countDown();
              while (gate.getCount() > 0) {
                try {
                  gate.await();
                } catch (InterruptedException e) {
                  // as code does that takes no notice
                }
              }
              return new long[] {budget};
            },
            Duration.ofMillis(1));
    Worker worker = new Worker(1000);
    interval();
    asked.await();
    assertThat(worker.got.get()).isZero();
    interval();
    assertThat(worker.got.get()).as("two intervals' at once").isEqualTo(200);
    interval();
    assertThat(worker.got.get()).isEqualTo(300);
    await().atMost(PATIENCE).until(() -> revision.check() != null);
    await().atMost(PATIENCE).until(() -> misbehaviours.size() == 1);
    assertThat(misbehaviours.get(0).what())
        .isEqualTo("fairness@2.0.0: share did not return within 1 ms");
    assertThat(worker.got.get()).as("its interval is over").isEqualTo(300);
    interval();
    assertThat(worker.got.get()).isEqualTo(400);
  }

  @Test
  void shouldGiveNothingToWhoIsGone() {
    Worker first = new Worker(1000);
    Worker second = new Worker(1000);
    first.portion.close();
    interval();
    assertThat(got(first, second)).containsExactly(0, 100);
  }

  @Test
  void shouldGiveWhatWasGivenBack() {
    Worker worker = new Worker(50);
    interval();
    worker.portion.giveBack(20);
    assertThat(worker.portion.take(30)).isEqualTo(20);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void shouldNeverGiveMoreThanThereIs(long seed) {
    Random random = new Random(seed);
    List<Worker> workers = new ArrayList<>();
    long most = 0;
    workers.add(new Worker(1 + random.nextInt(100)));
    for (int i = 0; i < 200; i++) {
      if (random.nextInt(3) == 0) {
        workers.add(new Worker(1 + random.nextInt(500)));
      } else if (random.nextInt(4) == 0) {
        workers.get(random.nextInt(workers.size())).portion.close();
      } else {
        Worker asks = workers.get(random.nextInt(workers.size()));
        asks.wants += 1 + random.nextInt(100);
        asks.take();
      }
      if (!timer.isEmpty()) {
        interval();
      } else {
        now += Bandwidth.INTERVAL.toNanos();
      }
      most += BUDGET;
      assertThat(workers.stream().mapToLong(each -> each.got.get()).sum())
          .as("seed %s", seed)
          .isLessThanOrEqualTo(most + BUDGET);
    }
  }
}
