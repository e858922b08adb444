package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.NodeStatus.Part;
import io.theseus.channel.Direction;
import io.theseus.control.Control;
import io.theseus.control.Control.Killed;
import io.theseus.session.SessionSummary;
import io.theseus.session.SessionSummary.State;
import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator sees of the sessions of a node, and does to them, over real connections. */
final class SessionsNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int MIB = 1 << 20;
  private static final int SIZE = 20 * MIB;
  private static final UUID READING = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789ab1");
  private static final UUID WRITING = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789ab2");
  private static final String GET = "GET in\nWindow: 4000000\nSession: " + READING + "\n";
  private static final String PUT = "PUT out\nSize: " + SIZE + "\nSession: " + WRITING + "\n";

  private Path files;
  private Node node;
  private Control control;
  private byte[] content;

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    files = directory.resolve("files");
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("cluster.port=0")
                .set("session.mark-bytes=1 MiB")
                .read(),
            Steps.NONE);
    control = node.control();
    content = new byte[SIZE];
    new Random(7).nextBytes(content);
    Files.write(files.resolve("in"), content);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private List<SessionSummary> sessions() throws Exception {
    return control.sessions().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private SessionSummary session(UUID id) throws Exception {
    return sessions().stream().filter(each -> each.session().equals(id)).findAny().orElseThrow();
  }

  private Killed kill(UUID id) throws Exception {
    return control.kill(id, "ended by ada").get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private static String remote(RawClient client) {
    return "127.0.0.1:" + client.socket().getLocalPort();
  }

  @Test
  void shouldShowWhatEachSessionIs() throws Exception {
    assertThat(sessions()).isEmpty();
    try (RawClient reader = RawClient.connect(node);
        RawClient writer = RawClient.connect(node)) {
      reader.info(GET).expect("READY");
      long read = reader.read(new byte[SIZE], 0, 5 * MIB);
      RawClient.Sending sending = writer.put(PUT);
      writer.write(sending, content, 10 * MIB);
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(session(READING))
                      .isEqualTo(
                          new SessionSummary(
                              READING,
                              Direction.GET,
                              "in",
                              read,
                              SIZE,
                              State.LIVE,
                              "standard@1.0.0",
                              remote(reader))));
      SessionSummary written =
          await()
              .atMost(PATIENCE)
              .ignoreExceptions() // where it is not there yet
              .until(() -> session(WRITING), each -> each.offset() > 0);
      assertThat(written.direction()).isEqualTo(Direction.PUT);
      assertThat(written.name()).isEqualTo("out");
      assertThat(written.offset()).isGreaterThanOrEqualTo(sending.acked());
      assertThat(written.remote()).isEqualTo(remote(writer));
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(sessions()).extracting(SessionSummary::session).containsExactly(WRITING);
              assertThat(session(WRITING).state()).isEqualTo(State.DETACHED);
              assertThat(session(WRITING).remote()).isEmpty();
            });
  }

  @Test
  void shouldEndTheConnectionOfAnUploadThatStaysResumable() throws Exception {
    try (RawClient writer = RawClient.connect(node)) {
      writer.write(writer.put(PUT), content, 10 * MIB);
      assertThat(kill(WRITING)).isEqualTo(Killed.ENDED);
      assertThat(writer.error()).isEqualTo("denied: ended by ada");
    }
    await().atMost(PATIENCE).until(() -> session(WRITING).state() == State.DETACHED);
    assertThat(kill(WRITING)).isEqualTo(Killed.DETACHED);
    try (RawClient writer = RawClient.connect(node)) {
      RawClient.Sending sending = writer.put(PUT);
      assertThat(sending.acked()).isPositive();
      writer.write(sending, content, SIZE);
      writer.complete(sending, SIZE);
    }
    assertThat(files.resolve("out")).hasBinaryContent(content);
    await().atMost(PATIENCE).until(() -> sessions().isEmpty());
    assertThat(kill(WRITING)).isEqualTo(Killed.UNKNOWN);
  }

  @Test
  void shouldEndADownload() throws Exception {
    try (RawClient reader = RawClient.connect(node);
        RawClient other = RawClient.connect(node)) {
      reader.info(GET).expect("READY");
      other.info("GET in\nWindow: 4000000\n").expect("READY");
      assertThat(kill(READING)).isEqualTo(Killed.ENDED);
      assertThat(reader.error()).isEqualTo("denied: ended by ada");
      await().atMost(PATIENCE).until(() -> sessions().size() == 1);
      assertThat(other.read(new byte[SIZE], 0, SIZE)).isEqualTo(SIZE);
      other.expect("COMPLETE");
    }
  }

  @Test
  void shouldTakeNoNewSessionsAndGoOnWithThoseThatAreHere() throws Exception {
    try (RawClient reader = RawClient.connect(node)) {
      reader.info(GET).expect("READY");
      try (RawClient writer = RawClient.connect(node)) {
        writer.write(writer.put(PUT), content, 10 * MIB);
      }
      await().atMost(PATIENCE).until(() -> session(WRITING).state() == State.DETACHED);
      control.accept(false);
      assertThat(node.status().parts())
          .contains(
              new Part(
                  "accepting",
                  "stopped",
                  "new sessions are told `busy`, those that are here go on, until `theseus admin"
                      + " accept`"));
      for (String command :
          List.of("GET in\n", "PUT other\nSize: 1\n", "GET in\nSession: " + UUID.randomUUID())) {
        try (RawClient client = RawClient.connect(node)) {
          client.info(command);
          assertThat(client.error())
              .isEqualTo(
                  "busy: this node takes no new sessions (expected: another node, or this one"
                      + " later)");
        }
      }
      // what was begun goes on, here or over another connection, and questions are answered
      assertThat(reader.read(new byte[SIZE], 0, SIZE)).isEqualTo(SIZE);
      reader.expect("COMPLETE");
      try (RawClient writer = RawClient.connect(node)) {
        RawClient.Sending sending = writer.put(PUT);
        writer.write(sending, content, SIZE);
        writer.complete(sending, SIZE);
        writer.info("STAT out\n").expect("STAT");
      }
      try (RawClient resumed = RawClient.connect(node)) {
        resumed.info(GET + "Offset: " + (SIZE - 5) + "\n").expect("READY");
        assertThat(resumed.next()).isInstanceOf(PacketSocket.Data.class);
      }
    }
    control.accept(true);
    assertThat(node.status().parts()).extracting(Part::name).doesNotContain("accepting");
    try (RawClient client = RawClient.connect(node)) {
      client.info("GET in\n").expect("READY");
    }
  }
}
