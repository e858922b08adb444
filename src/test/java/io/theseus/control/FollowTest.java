package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.channel.Admission;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.module.Revision;
import io.theseus.module.TestRevisions;
import io.theseus.session.SessionActor;
import io.theseus.steps.Steps;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions that follow a switch without a word of theirs: hundreds of them, at a time. */
final class FollowTest {
  private static final int MIB = 1 << 20;
  private static final int SESSIONS = 300;
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abf");

  @TempDir Path directory;

  private TestNode node() {
    return new TestNode(directory, Steps.NONE, TestNode.unhurried());
  }

  private static Revision revision(String name, NetworkFunction function, Runnable release) {
    return TestRevisions.of(
        name,
        () -> Revision.builtIn().openBuiltIn(),
        List.of(() -> function),
        Duration.ofMinutes(5),
        release);
  }

  private static Revision revision(String name, Runnable release) {
    return revision(name, new NetworkFunction() {}, release);
  }

  /** Clients that take nothing yet. */
  private static List<FakeLink> idle(TestNode node, byte[] content) {
    List<FakeLink> links = new ArrayList<>();
    for (int i = 0; i < SESSIONS; i++) {
      FakeLink link = FakeLink.reading(content).stopAt(0);
      node.open(link, "GET in\n");
      links.add(link);
    }
    await()
        .atMost(TestNode.PATIENCE)
        .until(() -> links.stream().noneMatch(each -> each.grants().isEmpty()));
    return links;
  }

  private static void awaitFollowed(TestNode node) {
    await().atMost(TestNode.PATIENCE).until(() -> node.behind() == 0);
  }

  private static void finish(TestNode node, List<FakeLink> links, byte[] content) {
    links.forEach(FakeLink::goOn);
    await()
        .atMost(TestNode.PATIENCE)
        .until(
            () -> links.stream().allMatch(each -> each.finished() || each.failure().isPresent()));
    assertThat(links)
        .allSatisfy(
            link -> {
              assertThat(link.failure()).isEmpty();
              assertThat(link.bytesRead()).isEqualTo(content);
            });
    node.awaitNoSession();
    assertThat(node.misbehaviours()).isEmpty();
  }

  @Test
  void shouldLetGoOfCodeThatIdleSessionsRan() throws Exception {
    AtomicInteger released = new AtomicInteger();
    try (TestNode node = node()) {
      byte[] content = node.write("in", 100_000);
      Revision one = revision("one", released::incrementAndGet);
      Revision two = revision("two", released::incrementAndGet);
      node.publish(one);
      List<FakeLink> links = idle(node, content);
      assertThat(one.sessions()).isEqualTo(SESSIONS);
      List<Integer> grants = links.stream().map(each -> each.grants().size()).toList();
      node.publish(two);
      node.followSwitch();
      awaitFollowed(node);
      assertThat(links)
          .allSatisfy(link -> assertThat(link.told()).containsExactly("RESUMED two@2.0.0"));
      assertThat(links.stream().map(each -> each.grants().size()).toList())
          .as("no worker has come, though the old ones are there")
          .isEqualTo(grants);
      await().atMost(TestNode.PATIENCE).until(() -> one.sessions() == 0);
      assertThat(two.sessions()).isEqualTo(SESSIONS);
      one.retire();
      assertThat(released.get()).isEqualTo(1);
      node.publish(Revision.builtIn());
      node.followSwitch();
      awaitFollowed(node);
      await().atMost(TestNode.PATIENCE).until(() -> two.sessions() == 0);
      finish(node, links, content);
    }
  }

  @Test
  void shouldFollowASecondSwitchInTheMiddleOfTheFirst() throws Exception {
    CountDownLatch begun = new CountDownLatch(SESSIONS / 4);
    CountDownLatch gate = new CountDownLatch(1);
    try (TestNode node = node()) {
      byte[] content = node.write("in", 100_000);
      List<FakeLink> links = idle(node, content);
      Revision one =
          revision(
              "one",
              new NetworkFunction() {
                @Override
                public Admission begin(SessionInfo session) {
                  begun.countDown();
                  if (begun.getCount() == 0) {
                    awaitOpen(gate);
                  }
                  return Admission.admit();
                }
              },
              () -> {});
      Revision two = revision("two", () -> {});
      node.publish(one);
      node.followSwitch();
      begun.await();
      node.publish(two);
      node.followSwitch();
      gate.countDown();
      awaitFollowed(node);
      await().atMost(TestNode.PATIENCE).until(() -> one.sessions() == 0);
      assertThat(two.sessions()).isEqualTo(SESSIONS);
      assertThat(links)
          .allSatisfy(link -> assertThat(link.told()).endsWith("RESUMED two@2.0.0"))
          .allSatisfy(link -> assertThat(link.told()).doesNotHaveDuplicates());
      finish(node, links, content);
      await().atMost(TestNode.PATIENCE).until(() -> two.sessions() == 0);
    }
  }

  private static void awaitOpen(CountDownLatch gate) {
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Who was to tell them is gone with the actors, or so are they, who were told. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFollowWhatWasSwitchedBeforeTheActorsWereMadeAnew(boolean module) throws Exception {
    try (TestNode node = node()) {
      byte[] content = node.write("in", 100_000);
      List<FakeLink> links = idle(node, content);
      Revision one = revision("one", () -> {});
      node.publish(module ? one : Revision.builtIn());
      node.restartActors();
      awaitFollowed(node);
      assertThat(one.sessions()).isEqualTo(module ? SESSIONS : 0);
      finish(node, links, content);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT"})
  void shouldGoOnWhereTheOldCodeGrantedNothing(String verb) throws Exception {
    try (TestNode node = node()) {
      byte[] content = node.write("in", 20 * MIB);
      node.publish(
          revision(
              "one",
              new NetworkFunction() {
                @Override
                public Passage decide(Range range, long nowNanos) {
                  return range.offset() == 0
                      ? Passage.limit(MIB)
                      : Passage.delay(Duration.ofMinutes(1));
                }
              },
              () -> {}));
      boolean get = verb.equals("GET");
      FakeLink link =
          get ? FakeLink.reading(content) : FakeLink.sending(content, 2 * MIB, /* sized= */ true);
      node.open(link, get ? "GET in\n" : "PUT out\nSize: " + content.length + "\n");
      await().atMost(TestNode.PATIENCE).until(() -> link.position() == MIB);
      node.publish(revision("two", () -> {}));
      node.followSwitch();
      await().atMost(TestNode.PATIENCE).until(() -> link.finished() || link.failure().isPresent());
      assertThat(link.failure()).isEmpty();
      if (get) {
        assertThat(link.bytesRead()).isEqualTo(content);
      } else {
        assertThat(node.file("out")).hasBinaryContent(content);
      }
    }
  }

  @Test
  void shouldGoOnBehindAHoldThatCameAndWentWhileCodeWasBegun() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    try (TestNode node = node()) {
      byte[] content = node.write("in", 20 * MIB);
      FakeLink link = FakeLink.reading(content).stopAt(MIB);
      node.open(link, "GET in\nSession: " + SESSION + "\n");
      await().atMost(TestNode.PATIENCE).until(() -> link.position() == MIB);
      node.publish(
          revision(
              "one",
              new NetworkFunction() {
                @Override
                public Admission begin(SessionInfo session) {
                  begun.countDown();
                  awaitOpen(gate);
                  return Admission.admit();
                }
              },
              () -> {}));
      node.followSwitch();
      begun.await();
      node.tell(SESSION, new SessionActor.Hold(node.system().ignoreRef()));
      await().atMost(TestNode.PATIENCE).until(() -> !link.told().isEmpty());
      node.tell(SESSION, new SessionActor.Resume());
      gate.countDown();
      awaitFollowed(node);
      assertThat(link.told()).containsExactly("MODIFYING " + MIB, "RESUMED one@2.0.0");
      finish(node, List.of(link), content);
    }
  }
}
