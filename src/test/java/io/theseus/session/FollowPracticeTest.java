package io.theseus.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.Admission;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.SessionInfo;
import io.theseus.module.ModuleException;
import io.theseus.module.Revision;
import io.theseus.module.Switchboard;
import io.theseus.module.TestRevisions;
import io.theseus.names.TestNames;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.StoreSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FollowPracticeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Switchboard switchboard = new Switchboard();
  private FileStore store;

  @BeforeEach
  void open(@TempDir Path directory) throws IOException {
    store =
        FileStore.open(
            StoreSettings.of(directory.resolve("files"), directory.resolve("records"), 0, PATIENCE),
            Runnable::run,
            Clock.systemUTC(),
            Steps.NONE);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private SessionEnvironment node(@Nullable Bandwidth bandwidth) {
    return new SessionEnvironment(
        "test",
        "nowhere else",
        store,
        Runnable::run,
        switchboard,
        misbehaviour -> {
          throw new IllegalStateException("heard of " + misbehaviour);
        },
        bandwidth,
        TestNames.alone(store, Runnable::run),
        /* copies= */ null,
        () -> 1,
        new SessionSettings(PATIENCE, PATIENCE, Long.MAX_VALUE, PATIENCE),
        new Counters(),
        Steps.NONE);
  }

  private static Revision function(NetworkFunction function) {
    return TestRevisions.functions("one", List.of(() -> function));
  }

  private static void awaitNobody(Revision revision) {
    await().atMost(PATIENCE).until(() -> revision.sessions() == 0);
  }

  @Test
  void shouldTakeSessionsThereAndBackAndLeaveNothing() throws Exception {
    AtomicInteger begun = new AtomicInteger();
    Revision one =
        function(
            new NetworkFunction() {
              @Override
              public Admission begin(SessionInfo session) {
                begun.incrementAndGet();
                return Admission.admit();
              }
            });
    int followed = FollowPractice.run(node(/* bandwidth= */ null), one);
    assertThat(begun).hasPositiveValue();
    assertThat(followed).as("there and back").isEqualTo(2 * begun.get());
    awaitNobody(one);
    assertThat(switchboard.generation()).as("the node's own is as it was").isEqualTo(1);
  }

  @Test
  void shouldGoOnWithCodeThatRefusesOrFails() throws Exception {
    for (NetworkFunction function :
        List.of(
            new NetworkFunction() {
              @Override
              public Admission begin(SessionInfo session) {
                return Admission.deny("no");
              }
            },
            new NetworkFunction() {
              @Override
              public Admission begin(SessionInfo session) {
                throw new IllegalStateException("broken");
              }
            })) {
      Revision one = function(function);
      assertThat(FollowPractice.run(node(/* bandwidth= */ null), one)).isZero();
      awaitNobody(one);
    }
  }

  /** Waits in the first call, until it is told to stop. */
  private static final class Waiting implements NetworkFunction {
    private final CountDownLatch called = new CountDownLatch(1);
    private final CountDownLatch never = new CountDownLatch(1);

    @Override
    public Admission begin(SessionInfo session) {
      called.countDown();
      try {
        never.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return Admission.admit();
    }
  }

  private static Revision of(NetworkFunction function, Duration deadline) {
    return TestRevisions.of(
        "one", () -> Revision.builtIn().openBuiltIn(), List.of(() -> function), deadline);
  }

  @Test
  void shouldRefuseCodeThatHangs() {
    Revision one = of(new Waiting(), Duration.ofMillis(100));
    assertThatThrownBy(() -> FollowPractice.run(node(/* bandwidth= */ null), one))
        .isInstanceOf(ModuleException.class)
        .hasMessage("function-1@2.0.0: begin did not return within 100 ms");
    assertThat(one.isAbandoned()).isTrue();
    awaitNobody(one);
    one.giveUp();
    assertThat(one.isReleased()).isTrue();
  }

  @Test
  void shouldLeaveNothingWhereItIsInterrupted() throws Exception {
    Waiting function = new Waiting();
    Revision one = of(function, PATIENCE);
    AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    Thread practising =
        new Thread(
            () -> {
              try {
                var unused = FollowPractice.run(node(/* bandwidth= */ null), one);
              } catch (InterruptedException | ModuleException e) {
                thrown.set(e);
              }
            });
    practising.start();
    assertThat(function.called.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    practising.interrupt();
    practising.join();
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    one.giveUp();
    await().atMost(PATIENCE).until(one::isReleased);
  }

  @Test
  void shouldGiveUpCodeThatIsSlow() throws Exception {
    AtomicInteger begun = new AtomicInteger();
    Revision one =
        of(
            new NetworkFunction() {
              @Override
              public Admission begin(SessionInfo session) {
                begun.incrementAndGet();
                try {
                  Thread.sleep(300); // within the deadline, which is all that is asked of it
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                return Admission.admit();
              }
            },
            PATIENCE);
    assertThat(FollowPractice.run(node(/* bandwidth= */ null), one)).isEqualTo(2 * begun.get());
    assertThat(begun).as("one on each thread").hasValue(2);
    awaitNobody(one);
  }

  @Test
  void shouldNotPractiseWhereSomebodyWouldCountIt() throws Exception {
    Bandwidth limited =
        new Bandwidth(
            /* bytesPerSecond= */ 1000,
            switchboard,
            misbehaviour -> {},
            (time, task) -> {},
            System::nanoTime);
    Revision one = function(new NetworkFunction() {});
    assertThat(FollowPractice.run(node(limited), one)).isZero();
    assertThat(FollowPractice.run(node(/* bandwidth= */ null), Revision.builtIn())).isZero();
  }
}
