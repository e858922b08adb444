package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Adapter;
import io.theseus.channel.Range;
import io.theseus.control.ControlActor;
import io.theseus.module.Revision;
import io.theseus.module.TestRevisions;
import io.theseus.session.SessionActor;
import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node whose actors end, stand still or change under living connections of TCP. */
final class LiveNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int MIB = 1 << 20;
  private static final int SIZE = 40 * MIB;

  private Path directory;
  private Node node;
  private byte[] content;

  @BeforeEach
  void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("cluster.port=0")
                .read(),
            Steps.NONE);
    content = new byte[SIZE];
    new Random(7).nextBytes(content);
    Files.write(file("in"), content);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private Path file(String name) {
    return directory.resolve("files").resolve(name);
  }

  @Test
  void shouldLoseNoByteAndNoConnectionWhenTheActorSystemEnds() throws Exception {
    try (RawClient reader = RawClient.connect(node);
        RawClient writer = RawClient.connect(node)) {
      reader.info("GET in\nWindow: 4000000\n").expect("READY");
      byte[] read = new byte[SIZE];
      long at = reader.read(read, 0, 5 * MIB);
      RawClient.Sending sending = writer.put("PUT out\nSize: " + SIZE + "\n");
      writer.write(sending, content, 20 * MIB);
      ActorSystem<?> before = node.system();
      before.terminate();
      // what was granted goes on meanwhile, and stops where nobody grants more
      at = reader.read(read, at, at + 1);
      await().atMost(PATIENCE).until(() -> node.system() != before);
      reader.read(read, at, SIZE);
      reader.expect("COMPLETE");
      writer.write(sending, content, SIZE);
      writer.complete(sending, SIZE);
      assertThat(read).isEqualTo(content);
      assertThat(file("out")).hasBinaryContent(content);
      // the connections are free for the next command
      reader.info("STAT out\n").expect("STAT");
      writer.info("GET out\n").expect("READY");
    }
  }

  @Test
  void shouldServeACommandThatComesWhileTheActorSystemEnds() throws Exception {
    try (RawClient client = RawClient.connect(node)) {
      client.info("STAT in\n").expect("STAT");
      ActorSystem<?> before = node.system();
      before.terminate();
      client.info("GET in\nOffset: " + (SIZE - 5) + "\nWindow: 5\n");
      PacketSocket.Packet answer = client.next();
      if (answer instanceof PacketSocket.Refused refused) {
        assertThat(refused.text()).isEqualTo("busy: the node is starting (expected: try again)");
      } else {
        assertThat(((PacketSocket.Said) answer).verb()).isEqualTo("READY");
        client.read(new byte[SIZE], SIZE - 5, SIZE);
        client.expect("COMPLETE");
      }
    }
  }

  private void tell(SessionActor.Command command) {
    Adapter.toClassic(node.system())
        .actorSelection("/user/control")
        .tell(new ControlActor.Tell(Optional.empty(), command), akka.actor.ActorRef.noSender());
  }

  private static Revision small() {
    return TestRevisions.channel(
        "small",
        () ->
            progress ->
                new Range(
                    progress.position(),
                    (int) Math.min(MIB, progress.end() - progress.position())));
  }

  private void resume(Revision revision) {
    node.switchboard().publish(revision, Optional.empty(), Revision.builtIn());
    tell(new SessionActor.Resume());
  }

  @Test
  void shouldHoldAndSwitchAGetAtAPacketBoundary() throws Exception {
    try (RawClient reader = RawClient.connect(node)) {
      reader.info("GET in\nWindow: 4000000\n").expect("READY");
      byte[] read = new byte[SIZE];
      long at = reader.read(read, 0, 5 * MIB);
      // what the client said last travels: a hold that comes before it holds at the one before
      await().atMost(PATIENCE).until(() -> node.control().sessions().join().get(0).offset() == at);
      TestProbe<SessionActor.Held> probe = TestProbe.create(node.system());
      tell(new SessionActor.Hold(probe.getRef()));
      SessionActor.Held held = probe.receiveMessage(PATIENCE);
      assertThat(held.offset()).isEqualTo(at);
      // the connection lives: it is told, and asked for nothing
      resume(small());
      reader.read(read, at, SIZE);
      reader.expect("COMPLETE");
      assertThat(reader.notes()).hasSize(2);
      assertThat(reader.notes().get(0)).startsWith("MODIFYING\nOffset: ");
      assertThat(reader.notes().get(1)).isEqualTo("RESUMED\nModule: small@2.0.0\n");
      assertThat(read).isEqualTo(content);
    }
  }

  @Test
  void shouldHoldAndSwitchAPutAtAPacketBoundary() throws Exception {
    try (RawClient writer = RawClient.connect(node)) {
      RawClient.Sending sending = writer.put("PUT out\nSize: " + SIZE + "\n");
      writer.write(sending, content, 17 * MIB);
      TestProbe<SessionActor.Held> probe = TestProbe.create(node.system());
      tell(new SessionActor.Hold(probe.getRef()));
      SessionActor.Held held = probe.receiveMessage(PATIENCE);
      assertThat(held.offset()).isBetween(0L, 17L * MIB);
      resume(small());
      writer.write(sending, content, SIZE);
      writer.complete(sending, SIZE);
      assertThat(writer.notes()).hasSize(2);
      assertThat(writer.notes().get(0)).startsWith("MODIFYING\nOffset: ");
      assertThat(writer.notes().get(1)).isEqualTo("RESUMED\nModule: small@2.0.0\n");
      assertThat(file("out")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldAnswerEveryoneWhoHoldsAPut() throws Exception {
    try (RawClient writer = RawClient.connect(node)) {
      RawClient.Sending sending = writer.put("PUT out\nSize: " + SIZE + "\n");
      writer.write(sending, content, 3 * MIB);
      TestProbe<SessionActor.Held> probe = TestProbe.create(node.system());
      for (int i = 0; i < 2; i++) {
        tell(new SessionActor.Hold(probe.getRef()));
        probe.receiveMessage(PATIENCE);
      }
      resume(small());
      writer.write(sending, content, SIZE);
      writer.complete(sending, SIZE);
      assertThat(writer.notes()).as("told once").hasSize(2);
    }
  }

  @Test
  void shouldFenceTheOlderConnectionOfAPut() throws Exception {
    String command = "PUT out\nSession: " + UUID.randomUUID() + "\nSize: " + SIZE + "\n";
    try (RawClient older = RawClient.connect(node);
        RawClient newer = RawClient.connect(node)) {
      RawClient.Sending first = older.put(command);
      older.write(first, content, 17 * MIB);
      RawClient.Sending second = newer.put(command + "Offset: " + first.acked() + "\n");
      assertThat(second.acked()).isGreaterThanOrEqualTo(first.acked());
      assertThat(older.error())
          .matches("superseded: session \\S+ has a newer connection \\(expected: one at a time\\)");
      newer.write(second, content, SIZE);
      newer.complete(second, SIZE);
      assertThat(file("out")).hasBinaryContent(content);
    }
  }
}
