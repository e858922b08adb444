package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.testkit.typed.javadsl.TestProbe;
import io.theseus.channel.Direction;
import io.theseus.channel.Range;
import io.theseus.module.Revision;
import io.theseus.module.TestRevisions;
import io.theseus.session.Grant;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionSettings;
import io.theseus.steps.Steps;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Control, sessions and workers: what they survive, and what they leave behind. */
@Tag("once") // says nothing of a version of Java
final class ControlActorTest {
  private static final int MIB = 1 << 20;
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abc");

  private Path directory;

  @BeforeEach
  void use(@TempDir Path temporary) {
    directory = temporary;
  }

  /** Throws when a point is passed for the n-th to m-th time. */
  private static Steps failing(String point, int from, int to) {
    AtomicInteger passed = new AtomicInteger();
    return name -> {
      if (name.equals(point)) {
        int count = passed.incrementAndGet();
        if (count >= from && count <= to) {
          throw new IllegalStateException("killed at " + point);
        }
      }
    };
  }

  private TestNode node(Steps steps) {
    return new TestNode(directory, steps, TestNode.unhurried());
  }

  private static void awaitFinished(FakeLink link) {
    await().atMost(TestNode.PATIENCE).until(() -> link.finished() || link.failure().isPresent());
    assertThat(link.failure()).isEmpty();
  }

  private static String get(String name) {
    return "GET " + name + "\nSession: " + SESSION + "\n";
  }

  private static String put(String name, int size) {
    return "PUT " + name + "\nSession: " + SESSION + "\nSize: " + size + "\n";
  }

  // ---- marks

  @Test
  void shouldNeverTouchTheJournalWithoutAMark() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = node.write("in", 20 * MIB);
      FakeLink reading = FakeLink.reading(content);
      node.open(reading, get("in"));
      awaitFinished(reading);
      assertThat(reading.bytesRead()).isEqualTo(content);
      FakeLink sending = FakeLink.sending(content, Long.MAX_VALUE, /* sized= */ true);
      node.open(sending, "PUT out\nSize: " + content.length + "\n");
      awaitFinished(sending);
      FakeLink lost = FakeLink.reading(content).stopAt(MIB);
      node.open(lost, "GET in\n");
      await().until(() -> lost.position() == MIB);
      lost.lose();
      FakeLink refused = FakeLink.reading(content);
      node.open(refused, "GET missing\n");
      node.awaitNoSession();
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(node.journalBatches()).isZero();
      assertThat(node.openSessions()).isEmpty();
    }
  }

  @Test
  void shouldBecomeEventSourcedAtTheFirstMarkAndLeaveNothing() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = TestNode.content(5 * MIB);
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true).stopAt(2 * MIB + 1);
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.acked() == 2 * MIB);
      assertThat(node.openSessions()).containsExactly(SessionActor.persistenceId(SESSION));
      link.goOn();
      awaitFinished(link);
      node.awaitNoSession();
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(link.durables()).startsWith((long) MIB, 2L * MIB).isSorted();
      assertThat(node.openSessions()).isEmpty();
    }
  }

  @Test
  void shouldGoOnFromItsMarksInAnotherProcess() throws Exception {
    byte[] content = TestNode.content(5 * MIB);
    try (TestNode node = node(Steps.NONE)) {
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true).stopAt(3 * MIB + 7);
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.acked() == 3 * MIB);
    }
    try (TestNode node = node(Steps.NONE)) {
      assertThat(node.counts()).isEqualTo(new ControlActor.Counts(0, 1));
      FakeLink other = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(other, put("other", content.length) + "Offset: " + 3 * MIB + "\n");
      await().until(() -> other.failure().isPresent());
      assertThat(other.failure().get())
          .isEqualTo(
              "bad-field: name of a resumed session: \"other\" (expected: as it began, \"out\")");
      FakeLink beyond = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(beyond, put("out", content.length) + "Offset: " + (3 * MIB + 1) + "\n");
      await().until(() -> beyond.failure().isPresent());
      assertThat(beyond.failure().get())
          .startsWith("unknown-session: session " + SESSION + " from Offset " + (3 * MIB + 1))
          .contains("(expected: at most " + 3 * MIB + ",");
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(link, put("out", content.length) + "Offset: " + 3 * MIB + "\n");
      awaitFinished(link);
      assertThat(link.readies().get(0).offset()).isEqualTo(3 * MIB);
      node.awaitNoSession();
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(node.openSessions()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {98, 99, 100, 101, 199, 200})
  void shouldLeaveNoKeyWhateverTheNumberOfEvents(int marks) throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      int step = 4096;
      byte[] content = TestNode.content((marks + 1) * step);
      FakeLink link = FakeLink.sending(content, step, /* sized= */ true);
      node.open(link, put("out", content.length));
      awaitFinished(link);
      assertThat(link.durables()).as("one mark each").hasSize(marks);
      node.awaitNoSession();
      // a snapshot that is late must not come behind the end either
      node.restartActors();
      assertThat(node.openSessions()).isEmpty();
      assertThat(node.file("out")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldRemovePartAndMarksWhenTheTimeIsOver() throws Exception {
    SessionSettings brief =
        new SessionSettings(
            Duration.ofMillis(300), Duration.ofMillis(300), Long.MAX_VALUE, Duration.ofHours(1));
    try (TestNode node = new TestNode(directory, Steps.NONE, brief)) {
      byte[] content = TestNode.content(3 * MIB);
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true).stopAt(MIB + 5);
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.acked() == MIB);
      assertThat(node.parts()).containsExactly(SESSION + ".part");
      link.lose();
      await().atMost(TestNode.PATIENCE).until(() -> node.parts().isEmpty());
      node.awaitNoSession();
      assertThat(node.openSessions()).isEmpty();
      assertThat(node.file("out")).doesNotExist();
    }
  }

  // ---- workers

  @Test
  void shouldGrantAtMostEightMebibytesAndNameWhoGrants() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = node.write("in", 40 * MIB);
      FakeLink link = FakeLink.reading(content);
      node.open(link, get("in"));
      awaitFinished(link);
      assertThat(link.grants()).hasSizeGreaterThanOrEqualTo(5);
      for (Grant grant : link.grants()) {
        assertThat(grant.range().length()).isBetween(1, Range.MOST);
        assertThat(grant.worker()).isEqualTo("worker-" + grant.workerGeneration());
        assertThat(grant.module()).isEqualTo("standard@1.0.0");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "worker.started, 1, GET", "worker.started, 1, PUT",
    "worker.decided, 1, GET", "worker.decided, 3, GET",
    "worker.decided, 1, PUT", "worker.decided, 3, PUT",
    "worker.granted, 1, GET", "worker.granted, 4, GET",
    "worker.granted, 1, PUT", "worker.granted, 4, PUT",
  })
  void shouldFollowADeadWorkerByTheNextGeneration(String point, int count, Direction direction)
      throws Exception {
    try (TestNode node = node(failing(point, count, count))) {
      byte[] content = node.write("in", 40 * MIB);
      FakeLink link =
          direction == Direction.GET
              ? FakeLink.reading(content)
              : FakeLink.sending(content, 2 * MIB, /* sized= */ true);
      node.open(link, direction == Direction.GET ? get("in") : put("out", content.length));
      awaitFinished(link);
      if (direction == Direction.GET) {
        assertThat(link.bytesRead()).isEqualTo(content);
      } else {
        assertThat(node.file("out")).hasBinaryContent(content);
      }
      assertThat(link.grants().stream().map(Grant::workerGeneration).distinct().toList())
          .as("the dead worker's, if it granted anything, then its successor's")
          .isSubsetOf(1L, 2L)
          .endsWith(2L);
      node.awaitNoSession();
      assertThat(node.openSessions()).isEmpty();
    }
  }

  @Test
  void shouldGiveUpAWorkerThatFailsThriceAndKeepTheSession() throws Exception {
    try (TestNode node = node(failing("worker.decided", 2, 4))) {
      byte[] content = TestNode.content(30 * MIB);
      FakeLink link = FakeLink.sending(content, 8 * MIB, /* sized= */ true);
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.failure().isPresent());
      assertThat(link.failure().get())
          .matches("internal: module standard@1\\.0\\.0 failed 3 times at offset \\d+.*");
      FakeLink again = FakeLink.sending(content, 8 * MIB, /* sized= */ true);
      node.open(again, put("out", content.length) + "Offset: " + link.acked() + "\n");
      awaitFinished(again);
      assertThat(again.readies().get(0).offset()).isGreaterThanOrEqualTo(link.acked());
      assertThat(node.file("out")).hasBinaryContent(content);
    }
  }

  // ---- sessions

  @ParameterizedTest
  @ValueSource(
      strings = {
        "put.ready",
        "session.synced",
        "put.marked",
        "put.acknowledged",
        "put.commit",
        "put.committed",
        "put.complete-sent",
        "session.ended"
      })
  void shouldAdoptAPutWhoseActorDies(String point) throws Exception {
    try (TestNode node = node(failing(point, 1, 1))) {
      byte[] content = TestNode.content(10 * MIB);
      FakeLink link = FakeLink.sending(content, 2 * MIB, /* sized= */ true);
      node.open(link, put("out", content.length));
      awaitFinished(link);
      assertThat(link.readies()).hasSize(1);
      assertThat(link.durables()).isSorted().doesNotHaveDuplicates();
      node.awaitNoSession();
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(node.openSessions()).isEmpty();
      assertThat(node.parts()).isEmpty();
    }
  }

  @Test
  void shouldBearAnyNumberOfDeathsWhileThereIsProgress() throws Exception {
    try (TestNode node = node(failing("put.acknowledged", 1, 6))) {
      byte[] content = TestNode.content(10 * MIB);
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(link, put("out", content.length));
      awaitFinished(link);
      assertThat(node.file("out")).hasBinaryContent(content);
    }
  }

  @ParameterizedTest
  @CsvSource({"worker.started, 1048576", "put.commit, 9223372036854775807"})
  void shouldGiveUpWhatFailsThriceWhereItStandsAndServeTheNextConnection(String point, long step)
      throws Exception {
    try (TestNode node = node(failing(point, 1, 3))) {
      byte[] content = TestNode.content(10 * MIB);
      FakeLink link = FakeLink.sending(content, step, /* sized= */ true);
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.failure().isPresent());
      assertThat(link.failure().get()).startsWith("internal: ");
      FakeLink again = FakeLink.sending(content, step, /* sized= */ true);
      node.open(again, put("out", content.length));
      awaitFinished(again);
      assertThat(node.file("out")).hasBinaryContent(content);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"put.ready", "put.commit", "put.committed", "session.ended"})
  void shouldAdoptAPutWithoutAMarkWhoseActorDies(String point) throws Exception {
    try (TestNode node = node(failing(point, 1, 1))) {
      byte[] content = TestNode.content(10 * MIB);
      FakeLink link = FakeLink.sending(content, Long.MAX_VALUE, /* sized= */ true);
      node.open(link, put("out", content.length));
      awaitFinished(link);
      node.awaitNoSession();
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(node.journalBatches()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "get.ready, false",
    "get.ready, true",
    "get.marked, true",
    "session.ended, true",
    "session.ended, false"
  })
  void shouldAdoptAGetWhoseActorDies(String point, boolean marks) throws Exception {
    SessionSettings settings =
        new SessionSettings(
            Duration.ofHours(1),
            Duration.ofHours(1),
            marks ? 8 * MIB : Long.MAX_VALUE,
            Duration.ofHours(1));
    try (TestNode node = new TestNode(directory, failing(point, 1, 1), settings)) {
      byte[] content = node.write("in", 50 * MIB);
      FakeLink link = FakeLink.reading(content);
      node.open(link, get("in"));
      awaitFinished(link);
      assertThat(link.bytesRead()).isEqualTo(content);
      node.awaitNoSession();
      assertThat(node.journalBatches() > 0).isEqualTo(marks);
      assertThat(node.openSessions()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldAdoptWhatAnEndedActorSystemLeft(boolean marks) throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = node.write("in", 30 * MIB);
      long step = marks ? MIB : Long.MAX_VALUE;
      FakeLink sending = FakeLink.sending(content, step, /* sized= */ true).stopAt(5 * MIB + 3);
      FakeLink reading = FakeLink.reading(content).stopAt(5 * MIB + 3);
      node.open(sending, put("out", content.length));
      node.open(reading, "GET in\n");
      await().atMost(TestNode.PATIENCE).until(() -> sending.position() == 5 * MIB + 3);
      await().atMost(TestNode.PATIENCE).until(() -> reading.position() == 5 * MIB + 3);
      node.restartActors();
      sending.goOn();
      reading.goOn();
      awaitFinished(sending);
      awaitFinished(reading);
      assertThat(reading.bytesRead()).isEqualTo(content);
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(sending.readies()).hasSize(1);
      node.awaitNoSession();
      assertThat(node.openSessions()).isEmpty();
    }
  }

  @Test
  void shouldEndAPutThatLostConnectionAndActorAtItsCommit() throws Exception {
    byte[] content = TestNode.content(3 * MIB);
    FakeLink link = FakeLink.sending(content, Long.MAX_VALUE, /* sized= */ true);
    Steps dying = failing("put.committed", 1, 1);
    Steps losing =
        point -> {
          if (point.equals("put.commit")) {
            link.lose();
          }
          dying.at(point);
        };
    try (TestNode node = node(losing)) {
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> Files.exists(node.file("out")));
      node.awaitNoSession();
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(node.parts()).isEmpty();
    }
  }

  @Test
  void shouldNotLoseACommandThatAnEndedActorSystemNeverSaw() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = node.write("in", MIB);
      node.system().terminate();
      assertThat(node.system().getWhenTerminated()).succeedsWithin(TestNode.PATIENCE);
      FakeLink link = FakeLink.reading(content);
      node.open(link, get("in"));
      assertThat(link.failure()).isEmpty();
      node.restartActors();
      awaitFinished(link);
      assertThat(link.bytesRead()).isEqualTo(content);
    }
  }

  @Test
  void shouldRefuseWhileThereAreNoActors() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      FakeLink before = FakeLink.reading(node.write("in", 10));
      node.open(before, get("in"));
      awaitFinished(before); // so there was an actor
      node.control().orphaned();
      FakeLink link = FakeLink.reading(new byte[0]);
      node.open(link, get("in"));
      assertThat(link.failure()).contains("busy: the node is starting (expected: try again)");
    }
  }

  @Test
  void shouldFenceTheOlderConnectionBeforeTheNewerIsReady() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = TestNode.content(6 * MIB);
      FakeLink older = FakeLink.sending(content, MIB, /* sized= */ true).stopAt(2 * MIB + 9);
      node.open(older, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> older.position() == 2 * MIB + 9);
      FakeLink newer = FakeLink.sending(content, MIB, /* sized= */ true).stopAt(4 * MIB);
      node.open(newer, put("out", content.length) + "Offset: " + older.acked() + "\n");
      await().atMost(TestNode.PATIENCE).until(() -> !newer.readies().isEmpty());
      assertThat(older.failure())
          .contains(
              "superseded: session "
                  + SESSION
                  + " has a newer connection (expected: one at a time)");
      List<Long> acknowledged = older.durables();
      newer.goOn();
      awaitFinished(newer);
      assertThat(older.durables()).isEqualTo(acknowledged);
      assertThat(node.file("out")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldAcknowledgeNothingWhenTheJournalFailsAndStayResumable() throws Exception {
    try (TestNode node = node(failing("journal.before-sync", 2, 2))) {
      byte[] content = TestNode.content(6 * MIB);
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.failure().isPresent());
      assertThat(link.failure().get())
          .isEqualTo(
              "internal: the session failed and is kept (expected: no failure): killed at"
                  + " journal.before-sync");
      assertThat(link.durables()).as("the first mark alone").containsExactly((long) MIB);
      node.restartActors();
      FakeLink again = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(again, put("out", content.length) + "Offset: " + link.acked() + "\n");
      awaitFinished(again);
      node.awaitNoSession();
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(node.openSessions()).isEmpty();
    }
  }

  @Test
  void shouldGoOnWithAnotherUploadWhereTheFirstFailed() throws Exception {
    try (TestNode node = node(failing("put.synced", 2, 2))) {
      byte[] content = TestNode.content(6 * MIB);
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.failure().isPresent());
      assertThat(link.failure().get()).startsWith("internal: \"out\": ");
      assertThat(link.acked()).isEqualTo(MIB);
      FakeLink again = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(again, put("out", content.length) + "Offset: " + MIB + "\n");
      awaitFinished(again);
      node.awaitNoSession();
      assertThat(node.file("out")).hasBinaryContent(content);
      assertThat(node.openSessions()).isEmpty();
    }
  }

  // ---- holding and switching

  /** A channel that grants little, under another name. */
  private static Revision other() {
    return TestRevisions.channel(
        "careful",
        () ->
            progress ->
                new Range(
                    progress.position(),
                    (int) Math.min(MIB, progress.end() - progress.position())));
  }

  @ParameterizedTest
  @CsvSource({"GET, 31457280", "PUT, 31457280", "GET, 40000", "PUT, 40000"}) // short: no worker
  void shouldHoldAndSwitch(String verb, int size) throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = node.write("in", size);
      int stop = size / 6;
      FakeLink link =
          verb.equals("GET")
              ? FakeLink.reading(content)
              : FakeLink.sending(content, size / 15, /* sized= */ true);
      link.stopAt(stop);
      node.open(link, verb.equals("GET") ? get("in") : put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.position() == stop);
      TestProbe<SessionActor.Held> probe = TestProbe.create(node.system());
      node.tell(SESSION, new SessionActor.Hold(probe.getRef()));
      SessionActor.Held held = probe.receiveMessage(TestNode.PATIENCE);
      assertThat(held).isEqualTo(new SessionActor.Held(SESSION, link.acked()));
      assertThat(link.told()).containsExactly("MODIFYING " + stop);
      assertThat(node.openSessions()).as("marked").hasSize(1);
      link.goOn();
      assertThat(link.position()).as("held").isEqualTo(stop);
      // held and switched: neither survives in the actor alone
      node.publish(other());
      node.tell(SESSION, new SessionActor.Resume());
      awaitFinished(link);
      assertThat(link.told()).containsExactly("MODIFYING " + stop, "RESUMED careful@2.0.0");
      List<Grant> grants = link.grants();
      assertThat(grants.get(grants.size() - 1).module()).isEqualTo("careful@2.0.0");
      if (verb.equals("GET")) {
        assertThat(link.bytesRead()).isEqualTo(content);
      } else {
        assertThat(node.file("out")).hasBinaryContent(content);
      }
      node.awaitNoSession();
      assertThat(node.openSessions()).isEmpty();
      assertThat(Files.exists(node.file("in"))).isTrue();
    }
  }

  @Test
  void shouldAnswerAHoldWhoseActorDied() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = TestNode.content(6 * MIB);
      FakeLink link =
          FakeLink.sending(content, MIB, /* sized= */ true).stopAt(2 * MIB).failAtHold();
      node.open(link, put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.acked() == 2 * MIB);
      TestProbe<SessionActor.Held> probe = TestProbe.create(node.system());
      node.tell(SESSION, new SessionActor.Hold(probe.getRef()));
      assertThat(probe.receiveMessage(TestNode.PATIENCE))
          .isEqualTo(new SessionActor.Held(SESSION, 2 * MIB));
      assertThat(link.failure()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT"})
  void shouldAnswerAHoldWhoseConnectionIsLost(String verb) throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = node.write("in", 6 * MIB);
      FakeLink link =
          verb.equals("GET")
              ? FakeLink.reading(content)
              : FakeLink.sending(content, MIB, /* sized= */ true);
      link.stopAt(2 * MIB).ignoreHold();
      node.open(link, verb.equals("GET") ? get("in") : put("out", content.length));
      await().atMost(TestNode.PATIENCE).until(() -> link.acked() == 2 * MIB);
      TestProbe<SessionActor.Held> probe = TestProbe.create(node.system());
      node.tell(SESSION, new SessionActor.Hold(probe.getRef()));
      await().atMost(TestNode.PATIENCE).until(() -> link.told().contains("HOLD"));
      link.lose();
      assertThat(probe.receiveMessage(TestNode.PATIENCE))
          .isEqualTo(new SessionActor.Held(SESSION, 2 * MIB));
    }
  }

  @Test
  void shouldKeepItsRevisionOverTheDeathOfItsActor() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = node.write("in", 30 * MIB);
      FakeLink link = FakeLink.reading(content).stopAt(5 * MIB);
      node.open(link, get("in"));
      await().atMost(TestNode.PATIENCE).until(() -> link.position() == 5 * MIB);
      node.publish(other());
      node.tell(SESSION, new SessionActor.Resume());
      await().until(() -> link.told().contains("RESUMED careful@2.0.0"));
      node.restartActors();
      int before = link.grants().size();
      link.goOn();
      awaitFinished(link);
      assertThat(link.grants().subList(before, link.grants().size()))
          .extracting(Grant::module)
          .containsOnly("careful@2.0.0");
      assertThat(link.bytesRead()).isEqualTo(content);
    }
  }
}
