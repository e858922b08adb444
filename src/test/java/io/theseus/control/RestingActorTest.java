package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.Adapter;
import io.theseus.session.SessionActor;
import io.theseus.session.Transfer;
import io.theseus.steps.Steps;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An actor whose session is over takes another one up, where nothing of the last can reach it. */
class RestingActorTest {
  private static final int SMALL = 4096;

  private TestNode node;
  private ActorTestKit kit;
  private TestProbe<SessionActor.Notice> supervisor;
  private byte[] content;

  @BeforeEach
  void start(@TempDir Path temporary) {
    // later than the files: small ones are kept in memory at once
    Clock clock = Clock.offset(Clock.systemUTC(), Duration.ofHours(1));
    node = new TestNode(temporary, Steps.NONE, TestNode.unhurried(), clock);
    kit = ActorTestKit.create(node.system());
    supervisor = kit.createTestProbe();
    content = node.write("small", SMALL);
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
  }

  private Transfer transfer(FakeLink link, String command) {
    Transfer transfer = Transfer.begin(UUID.randomUUID());
    transfer.arrive(new SessionActor.Attach(link, TestNode.command(command)));
    return transfer;
  }

  private ActorRef<SessionActor.Command> begin(Transfer transfer) {
    return kit.spawn(SessionActor.adopt(transfer, node.environment(), supervisor.getRef()));
  }

  private SessionActor.Finished finished() {
    return supervisor.expectMessageClass(SessionActor.Finished.class, TestNode.PATIENCE);
  }

  /** Reads the small file once, so that it is known. */
  private void read() {
    begin(transfer(FakeLink.reading(content), "GET small\n"));
    assertThat(finished().rests()).as("the disk was waited for").isFalse();
  }

  @Test
  void shouldTakeUpOneSessionAfterAnother() {
    read();
    FakeLink first = FakeLink.reading(content);
    Transfer begun = transfer(first, "GET small\n");
    ActorRef<SessionActor.Command> actor = begin(begun);
    assertThat(finished()).isEqualTo(new SessionActor.Finished(begun.id(), actor, true));
    for (int i = 0; i < 3; i++) {
      FakeLink link = FakeLink.reading(content);
      Transfer next = transfer(link, "GET small\n");
      actor.tell(new SessionActor.Adopt(next));
      assertThat(finished()).isEqualTo(new SessionActor.Finished(next.id(), actor, true));
      assertThat(link.bytesRead()).isEqualTo(content);
      assertThat(link.readies()).singleElement().matches(is -> is.session().equals(next.id()));
    }
    assertThat(first.readies()).hasSize(1);
  }

  @Test
  void shouldNotHearOfTheLastSessionsConnection() {
    read();
    FakeLink first = FakeLink.reading(content);
    ActorRef<SessionActor.Command> actor = begin(transfer(first, "GET small\n"));
    assertThat(finished().rests()).isTrue();
    FakeLink silent = FakeLink.reading(content).stopAt(0);
    Transfer second = transfer(silent, "GET small\n");
    actor.tell(new SessionActor.Adopt(second));
    first.lose();
    supervisor.expectNoMessage(Duration.ZERO);
    silent.goOn();
    assertThat(finished()).isEqualTo(new SessionActor.Finished(second.id(), actor, true));
    assertThat(silent.bytesRead()).isEqualTo(content);
  }

  @Test
  void shouldAnswerWhoAskedTheLastSessionToHold() {
    read();
    Transfer over = transfer(FakeLink.reading(content), "GET small\n");
    ActorRef<SessionActor.Command> actor = begin(over);
    assertThat(finished().rests()).isTrue();
    TestProbe<SessionActor.Held> asker = kit.createTestProbe();
    actor.tell(new SessionActor.Hold(asker.getRef()));
    asker.expectMessage(TestNode.PATIENCE, new SessionActor.Held(over.id(), SMALL));
  }

  @Test
  void shouldNotRestAfterAWorkerOrAMark() {
    read();
    byte[] large = node.write("large", 1 << 20);
    begin(transfer(FakeLink.reading(large), "GET large\n"));
    assertThat(finished().rests()).as("opened, and had a worker").isFalse();
    FakeLink link = FakeLink.reading(content).stopAt(1);
    ActorRef<SessionActor.Command> actor = begin(transfer(link, "GET small\n"));
    TestProbe<SessionActor.Held> asker = kit.createTestProbe();
    actor.tell(new SessionActor.Hold(asker.getRef()));
    asker.expectMessageClass(SessionActor.Held.class, TestNode.PATIENCE);
    actor.tell(new SessionActor.Resume());
    link.goOn();
    assertThat(finished().rests()).as("marked by the hold").isFalse();
  }

  @Test
  void shouldNotRestWhereTheJournalWasAsked() {
    read();
    Transfer recovered = Transfer.recover(UUID.randomUUID());
    FakeLink link = FakeLink.reading(content);
    recovered.arrive(new SessionActor.Attach(link, TestNode.command("GET small\n")));
    begin(recovered);
    assertThat(finished().rests()).as("of no mark, but event sourced").isFalse();
    assertThat(link.bytesRead()).isEqualTo(content);
  }

  @Test
  void shouldTakeUpSessionsWithMarks() {
    read();
    ActorRef<SessionActor.Command> first =
        begin(transfer(FakeLink.reading(content), "GET small\n"));
    assertThat(finished().rests()).isTrue();
    FakeLink put = FakeLink.sending(content, 1024, /* sized= */ true);
    first.tell(new SessionActor.Adopt(transfer(put, "PUT out\nSize: " + SMALL + "\n")));
    assertThat(finished().rests()).as("marked three times").isFalse();
    assertThat(node.file("out")).hasBinaryContent(content);

    ActorRef<SessionActor.Command> second =
        begin(transfer(FakeLink.reading(content), "GET small\n"));
    assertThat(finished().rests()).isTrue();
    Transfer recovered = Transfer.recover(UUID.randomUUID());
    FakeLink link = FakeLink.reading(content);
    recovered.arrive(new SessionActor.Attach(link, TestNode.command("GET small\n")));
    second.tell(new SessionActor.Adopt(recovered));
    assertThat(finished().session()).isEqualTo(recovered.id());
    assertThat(link.bytesRead()).isEqualTo(content);
  }

  @Test
  void shouldBeAskedByItsLane() {
    FakeLink link = FakeLink.reading(content);
    int lane = link.lane();
    node.open(link, "GET small\n"); // session-0: reads it
    node.awaitNoSession();
    for (int i = 0; i < 3; i++) {
      do {
        link = FakeLink.reading(content);
      } while (link.lane() != lane);
      node.open(link, "GET small\n"); // session-1, all of them
      FakeLink opened = link;
      await().atMost(TestNode.PATIENCE).until(opened::finished);
      node.awaitNoSession();
      assertThat(link.bytesRead()).isEqualTo(content);
    }
    assertThat(isThere("lane-" + lane + "/session-1")).isTrue();
    assertThat(isThere("lane-" + lane + "/session-2")).isFalse();
  }

  private boolean isThere(String actor) {
    return Adapter.toClassic(node.system())
        .actorSelection("/user/control/" + actor)
        .resolveOne(TestNode.PATIENCE)
        .handle((found, missing) -> missing == null)
        .toCompletableFuture()
        .join();
  }
}
