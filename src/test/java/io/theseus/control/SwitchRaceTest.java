package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.Admission;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.module.Revision;
import io.theseus.module.TestRevisions;
import io.theseus.session.SessionActor;
import io.theseus.steps.Steps;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens while code is begun, commits go on, connections follow one another. */
final class SwitchRaceTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 40 * MIB;
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abe");
  private static final String PUT = "PUT out\nSession: " + SESSION + "\nSize: " + SIZE + "\n";
  private static final String GET = "GET in\nSession: " + SESSION + "\n";

  /** Where a thread stands until the test lets it go on. */
  private static final class Gate {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);

    void pass() {
      reached.countDown();
      try {
        opened.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    void awaitReached() throws InterruptedException {
      reached.await();
    }

    void open() {
      opened.countDown();
    }
  }

  @TempDir Path directory;

  private TestNode node(Steps steps) {
    return new TestNode(directory, steps, TestNode.unhurried());
  }

  private static Revision careful(String name) {
    return TestRevisions.channel(
        name,
        () ->
            progress ->
                new Range(
                    progress.position(),
                    (int) Math.min(MIB, progress.end() - progress.position())));
  }

  /** Lets nobody in, once the gate is open. */
  private static Revision firewall(Gate gate) {
    return TestRevisions.functions(
        "firewall",
        List.of(
            () ->
                new NetworkFunction() {
                  @Override
                  public Admission begin(SessionInfo session) {
                    gate.pass();
                    return Admission.deny("closed");
                  }
                }));
  }

  private static Revision broken(String name, Gate gate) {
    return TestRevisions.channel(
        name,
        () -> {
          gate.pass();
          throw new IllegalStateException("can't be made");
        });
  }

  private static void awaitPosition(FakeLink link, long position) {
    await().atMost(TestNode.PATIENCE).until(() -> link.position() == position);
  }

  private static void awaitEnd(FakeLink link) {
    await().atMost(TestNode.PATIENCE).until(() -> link.finished() || link.failure().isPresent());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldGoBackToWhatItRanWhereTheSuccessorCannotBegin(boolean module) throws Exception {
    Gate gate = new Gate();
    Revision one = module ? careful("one") : Revision.builtIn();
    try (TestNode node = node(Steps.NONE)) {
      node.publish(one, one);
      byte[] content = node.write("in", SIZE);
      FakeLink link = FakeLink.reading(content).stopAt(5 * MIB);
      node.open(link, GET);
      awaitPosition(link, 5 * MIB);
      node.publish(broken("two", gate), one);
      node.tell(SESSION, new SessionActor.FollowSwitch());
      gate.awaitReached();
      link.goOn(); // takes all that was granted: nothing is reported any more
      gate.open();
      awaitEnd(link);
      assertThat(link.failure()).isEmpty();
      assertThat(link.bytesRead()).isEqualTo(content);
      assertThat(node.misbehaviours()).hasSize(1);
      node.awaitNoSession();
      assertThat(one.sessions()).isZero();
    }
  }

  @Test
  void shouldEndAtWhatIsBuiltInWhereTheStableCodeFailsToo() throws Exception {
    Gate open = new Gate();
    open.open();
    try (TestNode node = node(Steps.NONE)) {
      Revision stable = broken("stable", open);
      Revision next = broken("next", open);
      node.publish(next, stable);
      byte[] content = node.write("in", SIZE);
      FakeLink link = FakeLink.reading(content);
      node.open(link, GET);
      awaitEnd(link);
      assertThat(link.failure()).isEmpty();
      assertThat(node.misbehaviours()).hasSize(2);
      assertThat(link.readies().get(0).module()).isEqualTo("standard@1.0.0");
    }
  }

  @Test
  void shouldCompleteAPutThatIsDeniedWhileItCommits() throws Exception {
    Gate commit = new Gate();
    Gate begin = new Gate();
    Steps steps =
        name -> {
          if (name.equals("commit.decided")) {
            commit.pass();
          }
        };
    try (TestNode node = node(steps)) {
      byte[] content = TestNode.content(SIZE);
      FakeLink link = FakeLink.sending(content, 2 * MIB, /* sized= */ true).stopAt(SIZE - 5);
      node.open(link, PUT);
      awaitPosition(link, SIZE - 5);
      node.publish(firewall(begin));
      node.tell(SESSION, new SessionActor.FollowSwitch());
      begin.awaitReached();
      link.goOn();
      commit.awaitReached();
      begin.open();
      await().atMost(TestNode.PATIENCE).until(() -> node.behind() == 0); // it heard the denial
      commit.open();
      awaitEnd(link);
      assertThat(link.failure()).isEmpty();
      assertThat(node.file("out")).hasBinaryContent(content);
      node.awaitNoSession();
    }
  }

  @Test
  void shouldServeNobodyBeforeCodeWasAskedAboutTheConnection() throws Exception {
    Gate sync = new Gate();
    Gate begin = new Gate();
    AtomicInteger syncs = new AtomicInteger();
    AtomicInteger heard = new AtomicInteger();
    Steps steps =
        name -> {
          if (name.equals("put.synced") && syncs.incrementAndGet() == 2) {
            sync.pass();
          } else if (name.equals("session.synced")) {
            heard.incrementAndGet();
          }
        };
    try (TestNode node = node(steps)) {
      byte[] content = TestNode.content(SIZE);
      FakeLink older = FakeLink.sending(content, 2 * MIB, /* sized= */ true).stopAt(5 * MIB);
      node.open(older, PUT);
      sync.awaitReached(); // a checkpoint of the older connection is under way
      node.publish(firewall(begin));
      FakeLink newer = FakeLink.sending(content, 2 * MIB, /* sized= */ true);
      node.open(newer, PUT + "Offset: " + older.acked() + "\n");
      begin.awaitReached();
      sync.open();
      await().atMost(TestNode.PATIENCE).until(() -> heard.get() == 2);
      begin.open();
      awaitEnd(newer);
      assertThat(newer.failure()).contains("denied: standard@1.0.0: closed");
      assertThat(newer.readies()).isEmpty();
    }
  }

  @Test
  void shouldServeTheNewerConnectionWithCodeWhereTheOlderOnesFileIsStillOpened() throws Exception {
    Gate opening = new Gate();
    Steps steps =
        name -> {
          if (name.equals("put.part-created")) {
            opening.pass();
          }
        };
    try (TestNode node = node(steps)) {
      Revision one = careful("one");
      node.publish(one);
      byte[] content = TestNode.content(SIZE);
      FakeLink older = FakeLink.sending(content, 2 * MIB, /* sized= */ true);
      node.open(older, PUT);
      opening.awaitReached();
      FakeLink newer = FakeLink.sending(content, 2 * MIB, /* sized= */ true);
      node.open(newer, PUT);
      await().atMost(TestNode.PATIENCE).until(() -> older.failure().isPresent());
      opening.open();
      awaitEnd(newer);
      assertThat(newer.failure()).isEmpty();
      assertThat(newer.grants()).allSatisfy(g -> assertThat(g.module()).isEqualTo("one@2.0.0"));
      assertThat(node.file("out")).hasBinaryContent(content);
      node.awaitNoSession();
      await().atMost(TestNode.PATIENCE).until(() -> one.sessions() == 0);
    }
  }

  @Test
  void shouldLetGoOfCodeWhereTheActorFailedTooOften() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      Revision one = careful("one");
      node.publish(one);
      byte[] content = node.write("in", SIZE);
      FakeLink link = FakeLink.reading(content).stopAt(5 * MIB);
      node.open(link, GET);
      awaitPosition(link, 5 * MIB);
      for (int i = 0; i < 3; i++) {
        link.failAtHold();
        node.tell(SESSION, new SessionActor.Hold(node.system().ignoreRef()));
        await().atMost(TestNode.PATIENCE).until(() -> !link.failsAtHold());
      }
      await().atMost(TestNode.PATIENCE).until(() -> link.failure().isPresent());
      await().atMost(TestNode.PATIENCE).until(() -> one.sessions() == 0);
      node.publish(careful("two"));
      assertThat(node.behind()).isZero();
    }
  }

  @Test
  void shouldNotBeginWhatWasLetGoOf() {
    AtomicInteger released = new AtomicInteger();
    Revision one = TestRevisions.releasing("one", released::incrementAndGet);
    one.retire();
    assertThat(TestRevisions.begin(one).toCompletableFuture()).failsWithin(TestNode.PATIENCE);
    assertThat(released.get()).isEqualTo(1);
    assertThat(one.sessions()).isZero();
  }

  @Test
  void shouldLetGoOnAThreadThatWasNotInterrupted() {
    AtomicInteger interrupted = new AtomicInteger(-1);
    Revision one =
        TestRevisions.releasing(
            "one", () -> interrupted.set(Thread.currentThread().isInterrupted() ? 1 : 0));
    var begun = TestRevisions.begin(one).toCompletableFuture().join();
    one.retire();
    begun.code().close();
    await().atMost(TestNode.PATIENCE).until(() -> interrupted.get() >= 0);
    assertThat(interrupted.get()).isZero();
  }
}
