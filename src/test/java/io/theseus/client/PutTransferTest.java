package io.theseus.client;

import static io.theseus.client.ClientFixture.NAME;
import static io.theseus.client.ClientFixture.content;
import static io.theseus.client.ClientFixture.quick;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.client.ClientFixture.Events;
import io.theseus.client.ScriptedServer.Packet;
import io.theseus.client.ScriptedServer.Peer;
import io.theseus.client.ScriptedServer.Script;
import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Info;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class PutTransferTest {
  private final Path dir;
  private final Events events = new Events();
  private final List<Info> commands = new CopyOnWriteArrayList<>();

  PutTransferTest(@TempDir Path dir) {
    this.dir = dir;
  }

  private Path source(byte[] content) throws IOException {
    return Files.write(dir.resolve("in"), content);
  }

  private TransferResult put(ClientSettings settings, Producer producer) throws Exception {
    return put(settings, PutRequest.of(NAME), producer);
  }

  private TransferResult put(ClientSettings settings, PutRequest request, Producer producer)
      throws Exception {
    try (TheseusClient client = new TheseusClient(settings)) {
      return client.put(request, producer, events);
    }
  }

  private Producer producer(byte[] content, boolean live) throws IOException {
    return live
        ? Producer.stream(new ByteArrayInputStream(content))
        : Producer.file(source(content));
  }

  private static Kind kind(Throwable e) {
    return ((TransferException) e).kind();
  }

  /** READY to a PUT with an Idle that makes a client that waits say ALIVE after a second. */
  private static void readySoonAlive(Peer peer, Info command, long window)
      throws IOException, io.theseus.wire.ProtocolException {
    peer.info(
        "READY",
        "Session: " + command.uuid("Session").orElseThrow(),
        "Max-Data: 65536",
        "Idle: 3",
        "Window: " + window);
  }

  // ---- the plain course

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldPutWithAnyWindowOfTheServer(boolean live) throws Exception {
    for (long window : new long[] {1, 10, 1000, 70_000, 16 << 20}) {
      byte[] content = content(window == 1 ? 50 : window == 10 ? 1_000 : 300_000, window);
      ReferenceServer reference = new ReferenceServer(1000, window, false, peer -> {});
      try (ScriptedServer server = ScriptedServer.start(reference)) {
        TransferResult result = put(quick(server).build(), producer(content, live));
        assertThat(reference.files.get(NAME.value())).isEqualTo(content);
        assertThat(result.verified()).isTrue();
        assertThat(result.sha256()).isEqualTo(ScriptedServer.sha256(content));
        assertThat(result.sizeBytes()).isEqualTo(content.length);
        assertThat(events.acknowledged).isEqualTo(content.length);
        assertThat(events.size).hasValue(content.length);
        assertThat(server.connections()).isEqualTo(1);
      }
    }
  }

  @Test
  void shouldPutAStreamThatIsLargerThanWhatIsKept() throws Exception {
    byte[] content = content(5 << 20, 1);
    ReferenceServer reference = new ReferenceServer(1000, 400_000, false, peer -> {});
    try (ScriptedServer server = ScriptedServer.start(reference)) {
      put(quick(server).windowBytes(1 << 20).build(), producer(content, true));
      assertThat(reference.files.get(NAME.value())).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldPutNothing(boolean live) throws Exception {
    Script script =
        peer -> {
          Info command = peer.expectInfo("PUT");
          peer.readyPut(command, 1000);
          peer.offset(0);
          if (live) {
            Info end = peer.expectInfo("END");
            assertThat(end.number("Size")).hasValue(0);
            assertThat(end.sha256("SHA-256")).contains(ScriptedServer.sha256(new byte[0]));
          }
          peer.complete(0, "id", new byte[0]);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      TransferResult result = put(quick(server).build(), producer(new byte[0], live));
      assertThat(result.identity()).contains("id");
      assertThat(result.verified()).isTrue();
    }
  }

  @Test
  void shouldSendEveryFieldThatThePageNames() throws Exception {
    byte[] content = content(5, 1);
    Script script =
        peer -> {
          Info command = peer.expectInfo("PUT");
          commands.add(command);
          peer.readyPut(command, 1000);
          peer.offset(0);
          peer.expectData(0, 5);
          peer.offset(5);
          peer.complete(5, "id", content);
        };
    UUID session = UUID.fromString("12345678-1234-4234-9234-123456789abc");
    PutRequest request =
        PutRequest.of(NAME)
            .withIfIdentity(PutRequest.NONE)
            .withModified(Instant.parse("2026-01-31T12:00:00Z"))
            .withSession(session)
            .withSha256(ScriptedServer.sha256(content));
    try (ScriptedServer server = ScriptedServer.start(script)) {
      put(quick(server).token("s3cret").build(), request, producer(content, false));
    }
    Info command = commands.get(0);
    assertThat(command.argument()).isEqualTo(NAME.value());
    assertThat(command.number("Size")).hasValue(5);
    assertThat(command.number("Offset")).hasValue(0);
    assertThat(command.uuid("Session")).contains(session);
    assertThat(command.text("If-Identity")).contains("none");
    assertThat(command.text("Modified")).contains("2026-01-31T12:00:00Z");
    assertThat(command.sha256("SHA-256")).contains(ScriptedServer.sha256(content));
    assertThat(command.text("Token")).contains("s3cret");
    assertThat(command.text("Producer")).isEmpty();
  }

  @Test
  void shouldSayThatAStreamIsOneAndGiveNoSize() throws Exception {
    byte[] content = content(5, 1);
    Script script =
        peer -> {
          Info command = peer.expectInfo("PUT");
          commands.add(command);
          peer.readyPut(command, 1000);
          peer.offset(0);
          peer.expectData(0, 5);
          peer.expectInfo("END");
          peer.offset(5);
          peer.complete(5, "id", content);
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      put(quick(server).build(), producer(content, true));
    }
    assertThat(commands.get(0).text("Producer")).contains("stream");
    assertThat(commands.get(0).number("Size")).isEmpty();
  }

  /** That of the server, and its own, as that of a client which goes slowly by intention. */
  @ParameterizedTest
  @CsvSource({"40, 1000", "1000, 40"})
  void shouldSendNothingBeforeTheFirstOffsetNorBeyondTheWindow(long theirs, long own)
      throws Exception {
    byte[] content = content(100, 2);
    Script script =
        peer -> {
          Info command = peer.expectInfo("PUT");
          readySoonAlive(peer, command, theirs);
          // a client that waits has nothing to say but ALIVE
          assertThat(Peer.describe(peer.readAny())).startsWith("INFO ALIVE");
          peer.offset(0);
          int at = 0;
          while (at < 40) {
            Packet packet = peer.expectData();
            assertThat(packet.offset()).isEqualTo(at);
            at += packet.data().length;
          }
          assertThat(at).isEqualTo(40);
          assertThat(Peer.describe(peer.readAny())).startsWith("INFO ALIVE");
          peer.offset(40);
          peer.expectData(40, 80);
          peer.offset(80);
          peer.expectData(80, 100);
          peer.offset(100);
          peer.complete(100, "id", content);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      put(quick(server).windowBytes(own).build(), producer(content, false));
    }
  }

  @Test
  void shouldWaitForEachAcknowledgementWithoutAWindow() throws Exception {
    byte[] content = content(30, 3);
    Script script =
        peer -> {
          Info command = peer.expectInfo("PUT");
          readySoonAlive(peer, command, 1000);
          peer.offset(0);
          assertThat(peer.expectData().data()).hasSize(10);
          assertThat(Peer.describe(peer.readAny())).startsWith("INFO ALIVE");
          peer.offset(10);
          assertThat(peer.expectData().offset()).isEqualTo(10);
          peer.offset(20);
          assertThat(peer.expectData().offset()).isEqualTo(20);
          peer.offset(30);
          peer.complete(30, "id", content);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      put(quick(server).windowBytes(0).maxDataBytes(10).build(), producer(content, false));
    }
  }

  @Test
  void shouldSendWhatALiveStreamHasAtOnceAndAliveWhileItHasNothing() throws Exception {
    PipedOutputStream pipe = new PipedOutputStream();
    CountDownLatch first = new CountDownLatch(1);
    Script script =
        peer -> {
          Info command = peer.expectInfo("PUT");
          readySoonAlive(peer, command, 1000);
          peer.offset(0);
          pipe.write(new byte[] {1, 2, 3});
          pipe.flush();
          assertThat(peer.expectData(0, 3)).containsExactly(1, 2, 3);
          peer.offset(3);
          // longer than the silence that is taken from who owes something
          for (int i = 0; i < 3; i++) {
            assertThat(Peer.describe(peer.readAny())).startsWith("INFO ALIVE");
          }
          first.countDown();
          pipe.write(new byte[] {4});
          pipe.close();
          assertThat(peer.expectData(3, 4)).containsExactly(4);
          peer.expectInfo("END");
          peer.offset(4);
          peer.complete(4, "id", new byte[] {1, 2, 3, 4});
          peer.expectEnd();
        };
    try (InputStream in = new PipedInputStream(pipe, 100);
        ScriptedServer server = ScriptedServer.start(script)) {
      put(quick(server).silenceLimit(Duration.ofMillis(1_500)).build(), Producer.stream(in));
      assertThat(first.getCount()).isZero();
      assertThat(server.connections()).isEqualTo(1);
    }
  }

  // ---- verbs

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRepeatDataAndNotEndAfterResumedWithOffset(boolean live) throws Exception {
    byte[] content = content(100, 4);
    Script script =
        peer -> {
          Info command = peer.expectInfo("PUT");
          peer.info("MODIFYING", "Offset: 0");
          peer.info("RESUMED", "Module: m@2");
          peer.readyPut(command, 1000);
          peer.offset(0);
          peer.expectData(0, 100);
          if (live) {
            peer.expectInfo("END");
          }
          peer.offset(20);
          peer.info("MODIFYING", "Offset: 60");
          peer.info("RESUMED", "Module: m@3", "Offset: 60");
          assertThat(peer.expectData(60, 100)).isEqualTo(Arrays.copyOfRange(content, 60, 100));
          peer.info("RESUMED", "Module: m@4", "Offset: 20");
          assertThat(peer.expectData(20, 100)).isEqualTo(Arrays.copyOfRange(content, 20, 100));
          // nothing was lost: nothing is repeated, and the END once sent stays sent
          peer.info("RESUMED", "Module: m@5");
          peer.offset(100);
          peer.complete(100, "id", content);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      TransferResult result = put(quick(server).build(), producer(content, live));
      assertThat(result.verified()).isTrue();
    }
    assertThat(events.lines)
        .containsSubsequence(
            "held code is being changed, held at offset 0",
            "resumed m@2",
            "ready 0",
            "held code is being changed, held at offset 60",
            "resumed m@3",
            "resumed m@4",
            "resumed m@5");
  }

  @Test
  void shouldGoOnWithSessionAndOffsetAfterMigrate() throws Exception {
    byte[] content = content(100, 5);
    Script owner =
        peer -> {
          Info command = peer.expectInfo("PUT");
          assertThat(command.uuid("Session")).isEqualTo(commands.get(0).uuid("Session"));
          assertThat(command.number("Offset")).hasValue(30);
          peer.readyPut(command, 1000);
          peer.offset(50); // it has more than it could say
          peer.expectData(50, 100);
          peer.offset(100);
          peer.complete(100, "id", content);
        };
    try (ScriptedServer second = ScriptedServer.start(owner)) {
      Script first =
          peer -> {
            Info command = peer.expectInfo("PUT");
            commands.add(command);
            peer.readyPut(command, 1000);
            peer.offset(0);
            peer.expectData(0, 100);
            peer.offset(30);
            peer.info(
                "MIGRATE",
                "Node: " + second.address(),
                "Session: " + command.uuid("Session").orElseThrow());
            peer.expectEnd();
          };
      try (ScriptedServer server = ScriptedServer.start(first)) {
        TransferResult result = put(quick(server).build(), producer(content, false));
        assertThat(result.node()).isEqualTo(second.address());
        assertThat(result.verified()).isTrue();
      }
    }
  }

  // ---- resume

  @Test
  void shouldCompleteAgainWhenTheCompleteWasLost() throws Exception {
    byte[] content = content(100, 6);
    Script first =
        peer -> {
          Info command = peer.expectInfo("PUT");
          commands.add(command);
          peer.readyPut(command, 1000);
          peer.offset(0);
          peer.expectData(0, 100);
          peer.expectInfo("END");
          peer.offset(100);
        };
    Script second =
        peer -> {
          Info command = peer.expectInfo("PUT");
          assertThat(command.uuid("Session")).isEqualTo(commands.get(0).uuid("Session"));
          assertThat(command.number("Offset")).hasValue(100);
          peer.readyPut(command, 1000);
          peer.offset(100);
          // a resumed PUT of unknown size sends END again
          peer.expectInfo("END");
          peer.complete(100, "id", content);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(first, second)) {
      TransferResult result = put(quick(server).build(), producer(content, true));
      assertThat(result.reconnects()).isEqualTo(1);
    }
  }

  @Test
  void shouldStopAndReportWhenAcknowledgedBytesAreAskedForAgain() throws Exception {
    byte[] content = content(100, 7);
    Script first =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 1000);
          peer.offset(0);
          peer.expectData(0, 100);
          peer.offset(60);
        };
    Script second =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 1000);
          peer.offset(59);
          // no ERROR: what is left of the session may still be wanted
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(first, second)) {
      assertThatThrownBy(() -> put(quick(server).build(), producer(content, false)))
          .hasMessage(
              "OFFSET: 59 (expected: >= 60; "
                  + server.address()
                  + " lost bytes that were acknowledged)")
          .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.LOST_BYTES));
      assertThat(server.connections()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"RESUMED", "OFFSET"})
  void shouldStopAndReportTheSameOnALivingConnection(String how) throws Exception {
    byte[] content = content(100, 8);
    Script script =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 1000);
          peer.offset(0);
          peer.expectData(0, 100);
          peer.offset(60);
          if (how.equals("OFFSET")) {
            peer.offset(10);
          } else {
            peer.info("RESUMED", "Module: m@2", "Offset: 10");
          }
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(() -> put(quick(server).build(), producer(content, false)))
          .hasMessageStartingWith(how)
          .hasMessageContaining(": 10 (expected: >= 60; ")
          .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.LOST_BYTES));
    }
  }

  @Test
  void shouldAskAllNodesForAnUnknownSessionThenReportTheLoss() throws Exception {
    byte[] content = content(100, 9);
    AtomicInteger asked = new AtomicInteger();
    Script forgetful =
        peer -> {
          Info command = peer.expectInfo("PUT");
          assertThat(command.number("Offset")).hasValue(60);
          asked.incrementAndGet();
          peer.error("unknown-session: Offset: 60 (expected: at most 0)");
        };
    Script first =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 1000);
          peer.offset(0);
          peer.expectData(0, 100);
          peer.offset(60);
        };
    try (ScriptedServer fellow = ScriptedServer.start(forgetful);
        ScriptedServer server = ScriptedServer.start(first, forgetful)) {
      assertThatThrownBy(() -> put(quick(server, fellow).build(), producer(content, false)))
          .hasMessage(
              "offset: 60 was acknowledged, and no node has the session any more:"
                  + " unknown-session: Offset: 60 (expected: at most 0)")
          .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.LOST_BYTES));
      assertThat(asked.get()).isEqualTo(2);
      assertThat(fellow.connections()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void shouldTryAgainAfterRetryableErrorsOnly(ErrorCode code) throws Exception {
    byte[] content = content(100, 10);
    Script refuse =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 1000);
          peer.offset(0);
          peer.expectData();
          peer.error(code.label() + ": value: 1 (expected: 2)");
        };
    ReferenceServer reference = new ReferenceServer(1000, 1000, false, peer -> {});
    try (ScriptedServer server = ScriptedServer.start(refuse, reference)) {
      if (code.retryable()) {
        put(quick(server).build(), producer(content, false));
        assertThat(reference.files.get(NAME.value())).isEqualTo(content);
      } else {
        assertThatThrownBy(() -> put(quick(server).build(), producer(content, false)))
            .hasMessage(code.label() + ": value: 1 (expected: 2)")
            .isInstanceOfSatisfying(
                TransferException.class, e -> assertThat(e.code()).contains(code));
        assertThat(server.connections()).isEqualTo(1);
      }
    }
  }

  @Test
  void shouldReportTheErrorThatCameWhileItWasWriting() throws Exception {
    // large enough that the socket can't take it all: the client is in the middle of writing
    byte[] content = content(32 << 20, 11);
    Script script =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 64 << 20);
          peer.offset(0);
          peer.expectData();
          peer.error("denied: enough");
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(() -> put(quick(server).build(), producer(content, false)))
          .hasMessage("denied: enough");
    }
  }

  @Test
  void shouldReadTheErrorThatIsThereWhenItFailsToWrite() throws Exception {
    byte[] content = content(32 << 20, 11);
    CountDownLatch full = new CountDownLatch(1);
    Script script =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 64 << 20);
          peer.offset(0);
          peer.expectData();
          peer.errorAndReset("denied: enough");
          full.countDown();
        };
    // in the midst of sending, until the connection is reset: the next write fails
    TransferListener holding =
        new TransferListener() {
          @Override
          public void progress(long sent, long acknowledged, OptionalLong size) {
            if (sent > 0) {
              try {
                full.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }
          }
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      // the first DATA are written before progress is told
      assertThatThrownBy(() -> client.put(PutRequest.of(NAME), producer(content, false), holding))
          .hasMessage("denied: enough");
      assertThat(server.connections()).isEqualTo(1);
    }
  }

  static Stream<String> violations() {
    return Stream.of(
        "OFFSET before READY",
        "OFFSET beyond what was sent",
        "first OFFSET beyond the size",
        "RESUMED beyond what was sent",
        "DATA in a PUT",
        "RESTART in a PUT",
        "END in a PUT",
        "COMPLETE before all is acknowledged",
        "COMPLETE of another size",
        "bad SHA-256");
  }

  @ParameterizedTest
  @MethodSource("violations")
  void shouldAnswerAServerThatBreaksTheProtocolWithAnError(String what) throws Exception {
    byte[] content = content(100, 12);
    AtomicReference<String> error = new AtomicReference<>("");
    Script script =
        peer -> {
          Info command = peer.expectInfo("PUT");
          if (!what.equals("OFFSET before READY")) {
            peer.readyPut(command, 1000);
          }
          switch (what) {
            case "OFFSET before READY" -> peer.offset(0);
            case "first OFFSET beyond the size" -> peer.offset(101);
            default -> {
              peer.offset(0);
              peer.expectData(0, 100);
              switch (what) {
                case "OFFSET beyond what was sent" -> peer.offset(101);
                case "RESUMED beyond what was sent" ->
                    peer.info("RESUMED", "Module: m", "Offset: 101");
                case "DATA in a PUT" -> peer.data(content, 0, 1);
                case "RESTART in a PUT" -> peer.info("RESTART", "Size: 1");
                case "END in a PUT" -> peer.info("END", "Size: 100");
                case "COMPLETE before all is acknowledged" -> {
                  peer.offset(99);
                  peer.complete(100, "id", content);
                }
                case "COMPLETE of another size" -> {
                  peer.offset(100);
                  peer.complete(99, "id", content);
                }
                default -> {
                  peer.offset(100);
                  peer.info("COMPLETE", "Size: 100", "SHA-256: 12");
                }
              }
            }
          }
          error.set(peer.expectError());
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(() -> put(quick(server).build(), producer(content, false)))
          .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.PROTOCOL));
      assertThat(server.connections()).isEqualTo(1);
    }
    assertThat(error.get()).matches("bad-(packet|field|offset): .*\\(expected: .*\\).*");
  }

  @Test
  void shouldReportAWrongHashNamingBoth() throws Exception {
    byte[] content = content(100, 13);
    byte[] other = content(100, 14);
    Script script =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 1000);
          peer.offset(0);
          peer.expectData(0, 100);
          peer.offset(100);
          peer.complete(100, "id", other);
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(() -> put(quick(server).build(), producer(content, false)))
          .hasMessageContaining(ScriptedServer.sha256(content))
          .hasMessageContaining(ScriptedServer.sha256(other))
          .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.HASH_MISMATCH));
    }
  }

  @Test
  void shouldHashWhatItDidNotSendWhenASessionOfAnotherProcessGoesOn() throws Exception {
    byte[] content = content(3_000_000, 15);
    UUID session = UUID.fromString("12345678-1234-4234-9234-123456789abc");
    Script script =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 4_000_000);
          peer.offset(1_234_567);
          peer.expectData(1_234_567, 3_000_000);
          peer.offset(3_000_000);
          peer.complete(3_000_000, "id", content);
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      TransferResult result =
          put(
              quick(server).build(),
              PutRequest.of(NAME).withSession(session),
              producer(content, false));
      assertThat(result.verified()).isTrue();
      assertThat(result.session()).isEqualTo(session);
    }
  }

  // ---- local trouble

  @Test
  void shouldGiveUpWithAnErrorWhenTheFileShrinks() throws Exception {
    byte[] content = content(400_000, 16);
    AtomicReference<String> error = new AtomicReference<>("");
    Script script =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 100_000);
          peer.offset(0);
          peer.expectData(0, 100_000);
          try (FileChannel file = FileChannel.open(dir.resolve("in"), StandardOpenOption.WRITE)) {
            file.truncate(150_000);
          }
          peer.offset(100_000);
          error.set(peer.expectError());
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(() -> put(quick(server).build(), producer(content, false)))
          .hasMessageContaining(
              "the file shrank to 150000 bytes while it was sent (expected: 400000)")
          .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.LOCAL_IO));
    }
    assertThat(error.get()).isEqualTo("internal: the client can't read what it puts");
  }

  @Test
  void shouldSayWhatIsWrongWithTheSource() throws Exception {
    try (ScriptedServer server = ScriptedServer.start(peer -> {})) {
      assertThatThrownBy(() -> put(quick(server).build(), Producer.file(dir.resolve("missing"))))
          .hasMessageContaining("NoSuchFile")
          .hasMessageContaining("missing")
          .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.LOCAL_IO));
      assertThatThrownBy(() -> put(quick(server).build(), Producer.file(dir)))
          .hasMessageContaining("is a directory (expected: a file)");
      assertThat(server.connections()).isZero();
    }
  }

  @Test
  void shouldGiveUpWithAnErrorWhenTheStreamFails() throws Exception {
    AtomicReference<String> error = new AtomicReference<>("");
    InputStream broken =
        new InputStream() {
          private int left = 10;

          @Override
          public int read() throws IOException {
            if (left-- > 0) {
              return 7;
            }
            throw new IOException("device gone");
          }

          @Override
          public int read(byte[] into, int from, int length) throws IOException {
            into[from] = (byte) read();
            return 1;
          }
        };
    Script script =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 1000);
          peer.offset(0);
          error.set(peer.expectError());
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(() -> put(quick(server).build(), Producer.stream(broken)))
          .hasMessageContaining("device gone")
          .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.LOCAL_IO));
    }
    assertThat(error.get()).startsWith("internal: ");
  }

  @Test
  void shouldKeepNoMoreOfAStreamThanItsWindow() throws Exception {
    AtomicInteger read = new AtomicInteger();
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 0;
          }

          @Override
          public int read(byte[] into, int from, int length) {
            read.addAndGet(length);
            return length;
          }
        };
    CountDownLatch looked = new CountDownLatch(1);
    Script script =
        peer -> {
          peer.readyPut(peer.expectInfo("PUT"), 64 << 20);
          peer.offset(0);
          peer.expectData(0, 2 << 20);
          assertThat(read.get()).isEqualTo(2 << 20);
          looked.countDown();
          peer.error("denied: enough");
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(
              () -> put(quick(server).windowBytes(2 << 20).build(), Producer.stream(endless)))
          .hasMessage("denied: enough");
      assertThat(looked.getCount()).isZero();
    }
  }

  // ---- lost connections

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldResumeWhenTheServerClosesAtAnyByte(boolean live) throws Exception {
    byte[] content = content(100, 17);
    long total = conversation(content, live, Long.MAX_VALUE, Long.MAX_VALUE)[0];
    assertThat(total).isGreaterThan(200);
    for (long cut = 0; cut < total; cut++) {
      conversation(content, live, cut, Long.MAX_VALUE);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldResumeWhenTheServerStopsReadingAtAnyByte(boolean live) throws Exception {
    byte[] content = content(100, 18);
    long total = conversation(content, live, Long.MAX_VALUE, Long.MAX_VALUE)[1];
    assertThat(total).isGreaterThan(200);
    for (long cut = 0; cut < total; cut++) {
      conversation(content, live, Long.MAX_VALUE, cut);
    }
  }

  /** One PUT whose first connection is cut; gives the bytes sent and received by the server. */
  private long[] conversation(byte[] content, boolean live, long sendCut, long receiveCut)
      throws Exception {
    AtomicInteger connections = new AtomicInteger();
    List<Peer> peers = new ArrayList<>();
    ReferenceServer reference =
        new ReferenceServer(
            30,
            64,
            false,
            peer -> {
              peers.add(peer);
              if (connections.getAndIncrement() == 0) {
                peer.cutAfter(sendCut, receiveCut);
              }
            });
    try (ScriptedServer server = ScriptedServer.start(reference)) {
      TransferResult result = put(quick(server).build(), producer(content, live));
      assertThat(reference.files.get(NAME.value()))
          .describedAs("cut at %d, %d", sendCut, receiveCut)
          .isEqualTo(content);
      assertThat(result.verified()).isTrue();
    }
    return new long[] {peers.get(0).sentBytes(), peers.get(0).receivedBytes()};
  }

  @Test
  void shouldSurviveSeededFaults() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int run = 0; run < 20; run++) {
      byte[] content = content(1 + random.nextInt(400_000), random.nextLong());
      int[] left = {random.nextInt(8)};
      ReferenceServer reference =
          new ReferenceServer(
              1000,
              1 + random.nextInt(100_000),
              false,
              peer -> {
                if (left[0]-- > 0) {
                  peer.cutAfter(200 + random.nextInt(1_000), random.nextInt(content.length + 400));
                }
              });
      try (ScriptedServer server = ScriptedServer.start(reference)) {
        put(
            quick(server).windowBytes(random.nextInt(4) == 0 ? 0 : 1 << 20).build(),
            producer(content, random.nextBoolean()));
        assertThat(reference.files.get(NAME.value())).isEqualTo(content);
      } catch (Throwable e) {
        throw new AssertionError("seed " + seed + ", run " + run, e);
      }
    }
  }
}
