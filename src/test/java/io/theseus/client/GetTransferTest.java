package io.theseus.client;

import static io.theseus.client.ClientFixture.NAME;
import static io.theseus.client.ClientFixture.content;
import static io.theseus.client.ClientFixture.quick;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.client.ClientFixture.Events;
import io.theseus.client.ScriptedServer.Script;
import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Info;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class GetTransferTest {
  private final Path dir;
  private final Events events = new Events();
  private final List<Info> commands = new CopyOnWriteArrayList<>();

  GetTransferTest(@TempDir Path dir) {
    this.dir = dir;
  }

  private TransferResult get(ClientSettings settings, GetRequest request) throws Exception {
    try (TheseusClient client = new TheseusClient(settings)) {
      return client.get(request, Consumer.file(dir.resolve("out")), events);
    }
  }

  private byte[] out() throws IOException {
    return Files.readAllBytes(dir.resolve("out"));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> paths = Files.list(dir)) {
      return paths.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private static ReferenceServer reference(int packetBytes, byte[] content) {
    ReferenceServer server = new ReferenceServer(packetBytes, 1 << 16, false, peer -> {});
    server.files.put(NAME.value(), content);
    return server;
  }

  // ---- the plain course

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 1000, 64 * 1024, 32 << 20})
  void shouldGetAFileWithAnyWindow(long window) throws Exception {
    // a window of one byte is a round trip for each
    byte[] content = content(window == 1 ? 200 : 300_000, window);
    try (ScriptedServer server = ScriptedServer.start(reference(7_777, content))) {
      TransferResult result = get(quick(server).windowBytes(window).build(), GetRequest.of(NAME));
      assertThat(out()).isEqualTo(content);
      assertThat(result.verified()).isTrue();
      assertThat(result.sizeBytes()).isEqualTo(content.length);
      assertThat(result.sha256()).isEqualTo(ScriptedServer.sha256(content));
      assertThat(events.transferred).isEqualTo(content.length);
      assertThat(events.acknowledged).isEqualTo(content.length);
      assertThat(names()).containsExactly("out");
    }
  }

  @Test
  void shouldSendEveryFieldThatThePageNames() throws Exception {
    byte[] content = content(10, 1);
    Script script =
        peer -> {
          Info info = peer.expectInfo("GET");
          commands.add(info);
          peer.readyGet(info, 10, "id", "X-New: 1");
          peer.data(content, 0, 10);
          peer.expectOffset(10);
          peer.complete(10, "id", content);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      get(
          quick(server).windowBytes(5_000_000).maxDataBytes(70_000).token("s3cret").build(),
          GetRequest.of(NAME));
    }
    Info info = commands.get(0);
    assertThat(info.argument()).isEqualTo(NAME.value());
    assertThat(info.number("Window")).hasValue(5_000_000);
    assertThat(info.number("Max-Data")).hasValue(70_000);
    assertThat(info.number("Offset")).hasValue(0);
    assertThat(info.text("Token")).contains("s3cret");
    assertThat(info.text("Identity")).isEmpty();
    assertThat(info.text("Consumer")).isEmpty();
    assertThat(info.uuid("Session")).isPresent();
  }

  @Test
  void shouldTakeAnEmptyFile() throws Exception {
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 0, "id");
          peer.complete(0, "id", new byte[0]);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      TransferResult result = get(quick(server).build(), GetRequest.of(NAME));
      assertThat(result.sizeBytes()).isZero();
      assertThat(out()).isEmpty();
    }
  }

  @Test
  void shouldAskForExactlyOneDataAtATimeWithoutAWindow() throws Exception {
    byte[] content = content(30, 2);
    Script script =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.number("Window")).isEmpty();
          peer.readyGet(command, 30, "id");
          peer.data(content, 0, 10);
          peer.expectOffset(10);
          // nothing may follow before the next DATA: the next packet read is for the next DATA
          peer.data(content, 10, 20);
          peer.expectOffset(20);
          peer.data(content, 20, 30);
          peer.expectOffset(30);
          peer.complete(30, "id", content);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      get(quick(server).windowBytes(0).build(), GetRequest.of(NAME));
      assertThat(out()).isEqualTo(content);
    }
  }

  @Test
  void shouldAcknowledgeAtHalfOfTheWindowAndAtOnceAtTheEnd() throws Exception {
    byte[] content = content(75, 3);
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 75, "id");
          peer.data(content, 0, 20);
          peer.data(content, 20, 40); // 40 of 80: half
          peer.expectOffset(40);
          peer.data(content, 40, 50);
          peer.data(content, 50, 75); // 35 of 80, and the last byte
          peer.expectOffset(75);
          peer.complete(75, "id", content);
          peer.expectEnd();
        };
    // a timer that can't be what sends them
    try (ScriptedServer server = ScriptedServer.start(script)) {
      get(
          quick(server).windowBytes(80).acknowledgeLate(Duration.ofMinutes(10)).build(),
          GetRequest.of(NAME));
      assertThat(out()).isEqualTo(content);
    }
  }

  @Test
  void shouldAcknowledgeSoonWhenNothingMoreComes() throws Exception {
    byte[] content = content(100, 3);
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 100, "id");
          peer.data(content, 0, 1);
          peer.expectOffset(1);
          peer.data(content, 1, 100);
          peer.expectOffset(100);
          peer.complete(100, "id", content);
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      get(quick(server).build(), GetRequest.of(NAME));
      assertThat(out()).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDropAndCutDataAsThePageSays(boolean stream) throws Exception {
    byte[] content = content(100, 4);
    // what isn't wanted is garbage, so that taking it shows
    byte[] cut = content.clone();
    Arrays.fill(cut, 0, 40, (byte) 0);
    byte[] cutAgain = content.clone();
    cutAgain[59]++;
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 100, "id");
          peer.data(content, 0, 40);
          peer.expectOffset(40);
          peer.data(cut, 10, 40); // ends at the wanted byte: dropped
          peer.data(50, new byte[60]); // starts after it: dropped, whatever it is
          peer.data(cut, 30, 60); // contains it: cut
          peer.expectOffset(60);
          peer.data(cutAgain, 59, 100);
          peer.expectOffset(100);
          peer.complete(100, "id", content);
          peer.expectEnd();
        };
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      client.get(
          GetRequest.of(NAME),
          stream ? Consumer.stream(out) : Consumer.file(dir.resolve("out")),
          events);
      assertThat(stream ? out.toByteArray() : out()).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"before READY's DATA", "in the middle", "after the last OFFSET"})
  void shouldTakeEndEarlyAndLate(String when) throws Exception {
    byte[] content = content(100, 5);
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), -1, "-", "Producer-Note: live");
          if (when.startsWith("before")) {
            peer.info("END", "Size: 100");
          }
          peer.data(content, 0, 50);
          peer.expectOffset(50);
          if (when.startsWith("in")) {
            peer.info("END", "Size: 100");
          }
          peer.data(content, 50, 100);
          peer.expectOffset(100);
          if (when.startsWith("after")) {
            peer.info("END", "Size: 100");
          }
          peer.complete(100, "-", content);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      get(quick(server).build(), GetRequest.of(NAME));
      assertThat(out()).isEqualTo(content);
    }
  }

  // ---- verbs

  @Test
  void shouldKeepTheConnectionWhileItIsHeldAlsoBeforeReady() throws Exception {
    byte[] content = content(20, 6);
    Script script =
        peer -> {
          Info command = peer.expectInfo("GET");
          peer.info("MODIFYING", "Offset: 0");
          peer.info("ALIVE");
          peer.info("RESUMED", "Module: direct@2");
          peer.readyGet(command, 20, "id");
          peer.info("SOMETHING-NEW", "Field: value");
          peer.data(content, 0, 10);
          peer.info("MODIFYING", "Offset: 10");
          peer.info("NOTICE", "Text: tea\u202Etime", "Replication: under");
          peer.expectOffset(10);
          peer.info("RESUMED", "Module: direct@3");
          peer.data(content, 10, 20);
          peer.expectOffset(20);
          peer.complete(20, "id", content);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      get(quick(server).build(), GetRequest.of(NAME));
      assertThat(out()).isEqualTo(content);
      assertThat(server.connections()).isEqualTo(1);
    }
    assertThat(events.lines)
        .containsExactly(
            "held code is being changed, held at offset 0",
            "resumed direct@2",
            "ready 0",
            "held code is being changed, held at offset 10",
            "notice tea\\u202Etime (replication: under)",
            "resumed direct@3");
  }

  @Test
  void shouldBeginAnewAtEachRestart() throws Exception {
    byte[] old = content(100, 7);
    byte[] newer = content(60, 8);
    byte[] newest = content(80, 9);
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 100, "id1");
          peer.data(old, 0, 50);
          peer.expectOffset(50);
          peer.info("RESTART", "Identity: id2", "Size: 60");
          peer.expectOffset(0);
          peer.data(newer, 0, 30);
          peer.expectOffset(30);
          peer.info("RESTART", "Identity: id3", "Size: 80");
          // behind a RESTART it is always the new content's
          peer.data(newest, 0, 80);
          peer.expectOffset(0);
          peer.expectOffset(80);
          peer.complete(80, "id3", newest);
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      TransferResult result = get(quick(server).build(), GetRequest.of(NAME));
      assertThat(out()).isEqualTo(newest);
      assertThat(result.identity()).contains("id3");
      assertThat(result.sha256()).isEqualTo(ScriptedServer.sha256(newest));
    }
    assertThat(events.lines).filteredOn(line -> line.startsWith("restarted")).hasSize(2);
  }

  @Test
  void shouldRestartIntoAnEmptyFileAndAfterTheLastOffset() throws Exception {
    byte[] old = content(10, 7);
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 10, "id1");
          peer.data(old, 0, 10);
          peer.expectOffset(10);
          peer.info("RESTART", "Identity: id2", "Size: 0");
          peer.expectOffset(0);
          peer.complete(0, "id2", new byte[0]);
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      get(quick(server).build(), GetRequest.of(NAME));
      assertThat(out()).isEmpty();
    }
  }

  @Test
  void shouldAskForTheOldIdentityAgainWhenTheRestartWasCutOff() throws Exception {
    byte[] old = content(100, 10);
    byte[] fresh = content(30, 11);
    Script first =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 100, "id1");
          peer.data(old, 0, 50);
          peer.expectOffset(50);
        };
    Script second =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.number("Offset")).hasValue(50);
          assertThat(command.text("Identity")).contains("id1");
          // changed, and smaller than the Offset; cut before RESTART
          peer.readyGet(command, 30, "id2");
        };
    Script third =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.number("Offset")).hasValue(50);
          assertThat(command.text("Identity")).contains("id1");
          peer.readyGet(command, 30, "id2");
          peer.info("RESTART", "Identity: id2", "Size: 30");
          peer.expectOffset(0);
          peer.data(fresh, 0, 30);
          peer.expectOffset(30);
          peer.complete(30, "id2", fresh);
        };
    try (ScriptedServer server = ScriptedServer.start(first, second, third)) {
      get(quick(server).build(), GetRequest.of(NAME));
      assertThat(out()).isEqualTo(fresh);
    }
  }

  @Test
  void shouldRefuseDataOfAnotherIdentityWithoutARestart() throws Exception {
    byte[] old = content(100, 12);
    AtomicReference<String> error = new AtomicReference<>();
    Script first =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 100, "id1");
          peer.data(old, 0, 50);
          peer.expectOffset(50);
        };
    Script second =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 100, "id2");
          peer.data(old, 50, 100);
          error.set(peer.expectError());
        };
    try (ScriptedServer server = ScriptedServer.start(first, second)) {
      assertThatThrownBy(() -> get(quick(server).build(), GetRequest.of(NAME)))
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.PROTOCOL));
    }
    assertThat(error.get()).isEqualTo("bad-packet: DATA out of place (expected: RESTART)");
    assertThat(names()).doesNotContain("out");
  }

  @Test
  void shouldFollowMigrateWithinASessionAndAsAnAnswer() throws Exception {
    byte[] content = content(100, 13);
    Script owner =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.uuid("Session")).isEqualTo(commands.get(0).uuid("Session"));
          assertThat(command.number("Offset")).hasValue(50);
          assertThat(command.text("Identity")).contains("id");
          peer.readyGet(command, 100, "id");
          peer.data(content, 50, 100);
          peer.expectOffset(100);
          peer.complete(100, "id", content);
        };
    try (ScriptedServer third = ScriptedServer.start(owner)) {
      Script middle =
          peer -> {
            Info command = peer.expectInfo("GET");
            peer.info(
                "MIGRATE",
                "Node: " + third.address(),
                "Session: " + command.uuid("Session").orElseThrow());
            peer.expectEnd();
          };
      try (ScriptedServer second = ScriptedServer.start(middle)) {
        Script begin =
            peer -> {
              Info command = peer.expectInfo("GET");
              commands.add(command);
              peer.readyGet(command, 100, "id");
              peer.data(content, 0, 50);
              peer.expectOffset(50);
              peer.info(
                  "MIGRATE",
                  "Node: " + second.address(),
                  "Session: " + command.uuid("Session").orElseThrow());
              peer.expectEnd();
            };
        try (ScriptedServer server = ScriptedServer.start(begin)) {
          TransferResult result = get(quick(server).build(), GetRequest.of(NAME));
          assertThat(out()).isEqualTo(content);
          assertThat(result.node()).isEqualTo(third.address());
          assertThat(result.reconnects()).isEqualTo(2);
        }
      }
    }
  }

  // ---- errors

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void shouldTryAgainAfterRetryableErrorsOnly(ErrorCode code) throws Exception {
    byte[] content = content(10, 14);
    Script refuse =
        peer -> {
          peer.expectInfo("GET");
          peer.error(code.label() + ": value: 1 (expected: 2)");
        };
    AtomicInteger good = new AtomicInteger();
    Script serve =
        peer -> {
          good.incrementAndGet();
          peer.readyGet(peer.expectInfo("GET"), 10, "id");
          peer.data(content, 0, 10);
          peer.expectOffset(10);
          peer.complete(10, "id", content);
        };
    try (ScriptedServer server = ScriptedServer.start(refuse, serve)) {
      ClientSettings settings = quick(server).build();
      // incompatible is answered by asking as a stream, once, and is final then
      if (code.retryable() || code == ErrorCode.INCOMPATIBLE) {
        get(settings, GetRequest.of(NAME));
        assertThat(out()).isEqualTo(content);
        assertThat(good.get()).isEqualTo(1);
      } else {
        assertThatThrownBy(() -> get(settings, GetRequest.of(NAME)))
            .hasMessageStartingWith(code.label() + ": value: 1 (expected: 2)")
            .isInstanceOfSatisfying(
                TransferException.class,
                e -> {
                  assertThat(e.kind()).isEqualTo(Kind.REFUSED);
                  assertThat(e.code()).contains(code);
                });
        assertThat(good.get()).isZero();
        assertThat(names()).isEmpty();
      }
    }
  }

  @Test
  void shouldTakeAnUnknownCodeForFinal() throws Exception {
    Script refuse =
        peer -> {
          peer.expectInfo("GET");
          peer.error("teapot: short and stout");
        };
    try (ScriptedServer server = ScriptedServer.start(refuse)) {
      assertThatThrownBy(() -> get(quick(server).build(), GetRequest.of(NAME)))
          .hasMessage("teapot: short and stout")
          .isInstanceOfSatisfying(TransferException.class, e -> assertThat(e.code()).isEmpty());
      assertThat(server.connections()).isEqualTo(1);
    }
  }

  @Test
  void shouldGiveUpAfterAFewInternalErrors() throws Exception {
    Script refuse =
        peer -> {
          peer.expectInfo("GET");
          peer.error("internal: broken");
        };
    try (ScriptedServer server = ScriptedServer.start(refuse)) {
      assertThatThrownBy(() -> get(quick(server).refusalAttempts(3).build(), GetRequest.of(NAME)))
          .hasMessageStartingWith("internal: broken (gave up after ");
      assertThat(server.connections()).isEqualTo(3);
    }
  }

  static Stream<String> violations() {
    return Stream.of(
        "unknown packet type",
        "DATA before READY",
        "OFFSET in a GET",
        "DATA beyond the size",
        "DATA beyond the window",
        "COMPLETE too early",
        "READY twice",
        "READY of another session",
        "READY without Max-Data",
        "window larger than asked",
        "bad Idle",
        "END below what came",
        "END that differs",
        "field given twice",
        "END before READY",
        "COMPLETE of another identity");
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.MethodSource("violations")
  void shouldAnswerAServerThatBreaksTheProtocolWithAnError(String what) throws Exception {
    byte[] content = content(200, 15);
    AtomicReference<String> error = new AtomicReference<>("");
    Script script =
        peer -> {
          Info command = peer.expectInfo("GET");
          switch (what) {
            case "unknown packet type" -> peer.raw((byte) 9);
            case "DATA before READY" -> peer.data(content, 0, 10);
            case "READY of another session" ->
                peer.info(
                    "READY",
                    "Session: 00000000-0000-4000-8000-000000000000",
                    "Max-Data: 65536",
                    "Idle: 60",
                    "Size: 200");
            case "READY without Max-Data" ->
                peer.info(
                    "READY", "Session: " + command.uuid("Session").orElseThrow(), "Size: 200");
            case "window larger than asked" ->
                peer.info(
                    "READY",
                    "Session: " + command.uuid("Session").orElseThrow(),
                    "Max-Data: 65536",
                    "Idle: 60",
                    "Size: 200",
                    "Window: 1000");
            case "bad Idle" ->
                peer.info(
                    "READY",
                    "Session: " + command.uuid("Session").orElseThrow(),
                    "Max-Data: 65536",
                    "Idle: soon",
                    "Size: 200");
            case "END before READY" -> peer.info("END", "Size: 200");
            default -> {
              boolean live = what.startsWith("END");
              peer.readyGet(command, live ? -1 : 200, "id");
              switch (what) {
                case "OFFSET in a GET" -> peer.offset(10);
                case "DATA beyond the size" -> peer.data(0, new byte[201]);
                case "DATA beyond the window" -> peer.data(0, new byte[101]);
                case "COMPLETE too early" -> peer.complete(200, "id", content);
                case "READY twice" -> peer.readyGet(command, 200, "id");
                case "END below what came" -> {
                  peer.data(content, 0, 50);
                  peer.info("END", "Size: 49");
                }
                case "END that differs" -> {
                  peer.info("END", "Size: 50");
                  peer.info("END", "Size: 51");
                }
                case "field given twice" -> peer.info("RESTART", "Size: 1", "size: 2");
                default -> {
                  peer.data(content, 0, 100);
                  peer.expectOffset(100);
                  peer.data(content, 100, 200);
                  peer.expectOffset(200);
                  peer.complete(200, "other", content);
                }
              }
            }
          }
          error.set(peer.expectError());
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(() -> get(quick(server).windowBytes(100).build(), GetRequest.of(NAME)))
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.PROTOCOL))
          .hasMessageContaining("broke the protocol")
          .hasMessageContaining("(expected: ");
      assertThat(server.connections()).isEqualTo(1);
    }
    assertThat(error.get()).matches("bad-(packet|field|offset): .*\\(expected: .*\\).*");
    assertThat(names()).doesNotContain("out");
  }

  @Test
  void shouldReportAWrongHashNamingBothAndDiscardThePart() throws Exception {
    byte[] content = content(2_000_000, 16);
    byte[] other = content(2_000_000, 17);
    Script script =
        peer -> {
          Info command = peer.expectInfo("GET");
          peer.readyGet(command, content.length, "id");
          for (int at = 0; at < content.length; at += 50_000) {
            peer.data(content, at, at + 50_000);
          }
          while (peer.expectOffset() < content.length) {
            // until the end
          }
          peer.complete(content.length, "id", other);
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      assertThatThrownBy(() -> get(quick(server).build(), GetRequest.of(NAME)))
          .hasMessageContaining(ScriptedServer.sha256(content))
          .hasMessageContaining(ScriptedServer.sha256(other))
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.HASH_MISMATCH));
    }
    assertThat(names()).isEmpty();
  }

  // ---- streams

  @Test
  void shouldGoOnAsAStreamWhereTheSourceIsLiveAndSaySo() throws Exception {
    byte[] content = content(10, 18);
    Script refuse =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.text("Consumer")).isEmpty();
          peer.error("incompatible: a live source (expected: Consumer: stream)");
        };
    Script serve =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.text("Consumer")).contains("stream");
          peer.readyGet(command, -1, "-");
          peer.data(content, 0, 10);
          peer.expectOffset(10);
          peer.info("END", "Size: 10");
          peer.info("COMPLETE", "Size: 10");
        };
    try (ScriptedServer server = ScriptedServer.start(refuse, serve)) {
      TransferResult result = get(quick(server).build(), GetRequest.of(NAME));
      assertThat(out()).isEqualTo(content);
      assertThat(result.verified()).isFalse();
      assertThat(result.sha256()).isEqualTo(ScriptedServer.sha256(content));
    }
    assertThat(events.lines)
        .contains("streaming incompatible: a live source (expected: Consumer: stream)");
  }

  @Test
  void shouldSendErrorChangedWhereAStreamWouldHaveToGoBack() throws Exception {
    byte[] content = content(10, 19);
    AtomicReference<String> error = new AtomicReference<>("");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Script script =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.text("Consumer")).contains("stream");
          peer.readyGet(command, 20, "id");
          peer.data(content, 0, 10);
          peer.expectOffset(10);
          peer.info("RESTART", "Identity: new", "Size: 5");
          error.set(peer.expectError());
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      assertThatThrownBy(() -> client.get(GetRequest.of(NAME), Consumer.stream(out), events))
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHANGED));
    }
    assertThat(error.get()).startsWith("changed: the file changed after 10 bytes");
    assertThat(out.toByteArray()).isEqualTo(content);
  }

  @Test
  void shouldRestartAStreamThatHasPassedNothingOn() throws Exception {
    byte[] content = content(10, 20);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 20, "id");
          peer.info("RESTART", "Identity: new", "Size: 10");
          peer.expectOffset(0);
          peer.data(content, 0, 10);
          peer.expectOffset(10);
          peer.complete(10, "new", content);
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      client.get(GetRequest.of(NAME), Consumer.stream(out), events);
    }
    assertThat(out.toByteArray()).isEqualTo(content);
  }

  @Test
  void shouldLiveOnAndAcknowledgeNothingWhileTheReaderOfAStreamPauses() throws Exception {
    byte[] content = content(64, 21);
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch alive = new CountDownLatch(2);
    ByteArrayOutputStream sink = new ByteArrayOutputStream();
    OutputStream slow =
        new OutputStream() {
          @Override
          public void write(int b) {
            throw new UnsupportedOperationException();
          }

          @Override
          public void write(byte[] bytes, int from, int length) throws IOException {
            try {
              go.await();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            sink.write(bytes, from, length);
          }
        };
    Script script =
        peer -> {
          Info command = peer.expectInfo("GET");
          peer.info(
              "READY",
              "Session: " + command.uuid("Session").orElseThrow(),
              "Max-Data: 65536",
              "Idle: 1",
              "Size: 64",
              "Window: " + command.number("Window").orElseThrow(),
              "Identity: id");
          peer.data(content, 0, 64);
          while (alive.getCount() > 0) {
            ScriptedServer.Packet packet = peer.readAny();
            assertThat(ScriptedServer.Peer.describe(packet)).startsWith("INFO ALIVE");
            alive.countDown();
          }
          go.countDown();
          peer.expectOffset(64);
          peer.complete(64, "id", content);
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      client.get(GetRequest.of(NAME), Consumer.stream(slow), events);
      assertThat(server.connections()).isEqualTo(1);
    }
    assertThat(sink.toByteArray()).isEqualTo(content);
  }

  @Test
  void shouldReportAStreamThatCannotBeWritten() throws Exception {
    byte[] content = content(64, 22);
    AtomicReference<String> error = new AtomicReference<>("");
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 64, "id");
          peer.data(content, 0, 64);
          error.set(peer.expectError());
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      assertThatThrownBy(() -> client.get(GetRequest.of(NAME), Consumer.stream(broken), events))
          .hasMessageContaining("Broken pipe")
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.LOCAL_IO));
    }
    assertThat(error.get()).startsWith("internal: ");
  }

  // ---- lost connections

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldResumeWhenTheServerClosesAtAnyByte(boolean windowed) throws Exception {
    byte[] content = content(100, 23);
    long total = conversation(content, windowed, Long.MAX_VALUE, Long.MAX_VALUE);
    assertThat(total).isGreaterThan(300);
    for (long cut = 0; cut < total; cut++) {
      conversation(content, windowed, cut, Long.MAX_VALUE);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldResumeWhenTheServerStopsReadingAtAnyByte(boolean windowed) throws Exception {
    byte[] content = content(100, 24);
    for (long cut = 0; cut < 260; cut++) {
      conversation(content, windowed, Long.MAX_VALUE, cut);
    }
  }

  /** One GET whose first connection is cut; gives the bytes that the server sent on it. */
  private long conversation(byte[] content, boolean windowed, long sendCut, long receiveCut)
      throws Exception {
    AtomicInteger connections = new AtomicInteger();
    List<ScriptedServer.Peer> peers = new ArrayList<>();
    ReferenceServer reference =
        new ReferenceServer(
            30,
            1000,
            false,
            peer -> {
              peers.add(peer);
              if (connections.getAndIncrement() == 0) {
                peer.cutAfter(sendCut, receiveCut);
              }
            });
    reference.files.put(NAME.value(), content);
    try (ScriptedServer server = ScriptedServer.start(reference)) {
      TransferResult result =
          get(quick(server).windowBytes(windowed ? 64 : 0).build(), GetRequest.of(NAME));
      assertThat(out()).describedAs("cut at %d, %d", sendCut, receiveCut).isEqualTo(content);
      assertThat(result.verified()).isTrue();
    }
    return peers.get(0).sentBytes();
  }

  @Test
  void shouldSurviveSeededFaults() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int run = 0; run < 20; run++) {
      byte[] content = content(1 + random.nextInt(400_000), random.nextLong());
      int[] left = {random.nextInt(8)};
      ReferenceServer reference =
          new ReferenceServer(
              1 + random.nextInt(60_000),
              1000,
              random.nextBoolean(),
              peer -> {
                if (left[0]-- > 0) {
                  peer.cutAfter(random.nextInt(content.length + 400), 100 + random.nextInt(1_000));
                }
              });
      reference.files.put(NAME.value(), content);
      long window = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(300_000);
      try (ScriptedServer server = ScriptedServer.start(reference)) {
        get(quick(server).windowBytes(window).build(), GetRequest.of(NAME));
        assertThat(out()).describedAs("seed %d, run %d", seed, run).isEqualTo(content);
      } catch (Throwable e) {
        throw new AssertionError("seed " + seed + ", run " + run, e);
      }
    }
  }

  @Test
  void shouldLeaveASilentServerForItsFellow() throws Exception {
    byte[] content = content(100, 25);
    CountDownLatch done = new CountDownLatch(1);
    Script fellow =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.number("Offset")).hasValue(50);
          peer.readyGet(command, 100, "id");
          peer.data(content, 50, 100);
          peer.expectOffset(100);
          peer.complete(100, "id", content);
        };
    Script silent =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 100, "id");
          peer.data(content, 0, 50);
          peer.expectOffset(50);
          try {
            done.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        };
    try (ScriptedServer second = ScriptedServer.start(fellow);
        ScriptedServer first = ScriptedServer.start(silent)) {
      get(quick(first, second).silenceLimit(Duration.ofSeconds(1)).build(), GetRequest.of(NAME));
      done.countDown();
      assertThat(out()).isEqualTo(content);
    }
    assertThat(events.lines).anyMatch(line -> line.contains("no sign of life for "));
  }

  @Test
  void shouldNotCallAServerSilentThatSaysAlive() throws Exception {
    byte[] content = content(10, 26);
    Script script =
        peer -> {
          Info command = peer.expectInfo("GET");
          long end = System.nanoTime() + Duration.ofMillis(2_500).toNanos();
          while (System.nanoTime() < end) {
            peer.info("ALIVE");
            Awaitility.await().pollDelay(Duration.ofMillis(50)).until(() -> true);
          }
          peer.readyGet(command, 10, "id");
          peer.data(content, 0, 10);
          peer.expectOffset(10);
          peer.complete(10, "id", content);
        };
    try (ScriptedServer server = ScriptedServer.start(script)) {
      get(quick(server).silenceLimit(Duration.ofSeconds(1)).build(), GetRequest.of(NAME));
      assertThat(server.connections()).isEqualTo(1);
    }
  }

  @Test
  void shouldNameTheNodeThatCannotBeReached() throws Exception {
    // bound and not listening: nobody else can get this port meanwhile
    try (Socket bound = new Socket()) {
      bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      NodeAddress gone = new NodeAddress("127.0.0.1", bound.getLocalPort());
      ClientSettings settings =
          ClientSettings.builder(gone).firstConnectLimit(Duration.ZERO).build();
      assertThatThrownBy(() -> get(settings, GetRequest.of(NAME)))
          .hasMessage("no connection to " + gone + ": Connection refused")
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CONNECT_FAILED));
    }
    assertThat(names()).isEmpty();
  }

  @Test
  void shouldStopWhenItsPatienceIsUsedUpAndKeepThePartForLater() throws Exception {
    byte[] content = content(2_000_000, 27);
    Script half =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), content.length, "id");
          for (int at = 0; at < 1_000_000; at += 50_000) {
            peer.data(content, at, at + 50_000);
          }
          while (peer.expectOffset() < 1_000_000) {
            // until the half
          }
        };
    try (ScriptedServer server =
        ScriptedServer.start(
            half,
            peer -> {
              peer.expectInfo("GET");
              peer.info("ALIVE");
            })) {
      assertThatThrownBy(() -> get(quick(server).reconnectAttempts(4).build(), GetRequest.of(NAME)))
          .hasMessageContaining("gave up after 5 attempts without progress")
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CONNECTION_LOST));
      assertThat(server.connections()).isEqualTo(5);
    }
    assertThat(names()).containsExactly(".out.theseus-part", ".out.theseus-state");

    Script rest =
        peer -> {
          Info command = peer.expectInfo("GET");
          assertThat(command.number("Offset")).hasValue(1_000_000);
          assertThat(command.text("Identity")).contains("id");
          peer.readyGet(command, content.length, "id");
          for (int at = 1_000_000; at < content.length; at += 50_000) {
            peer.data(content, at, at + 50_000);
          }
          while (peer.expectOffset() < content.length) {
            // until the end
          }
          peer.complete(content.length, "id", content);
        };
    try (ScriptedServer server = ScriptedServer.start(rest)) {
      Instant modified = Instant.parse("2020-02-29T12:00:00Z");
      TransferResult result =
          get(quick(server).build(), GetRequest.of(NAME).withResume(true).withModified(modified));
      assertThat(result.resumedFrom()).isEqualTo(1_000_000);
      assertThat(result.verified()).isTrue();
      assertThat(out()).isEqualTo(content);
      assertThat(Files.getLastModifiedTime(dir.resolve("out"))).isEqualTo(FileTime.from(modified));
    }
    assertThat(names()).containsExactly("out");
  }

  // ---- one connection for several, cancelling

  @Test
  void shouldUseOneConnectionForSeveralCommandsAndANewOneWhereItWasClosed() throws Exception {
    byte[] content = content(1000, 28);
    ReferenceServer reference = reference(100, content);
    CountDownLatch closed = new CountDownLatch(1);
    Script closing =
        peer -> {
          Info command = peer.expectInfo("GET");
          peer.readyGet(command, 0, "id");
          peer.complete(0, "id", new byte[0]);
          closed.countDown();
        };
    try (ScriptedServer server = ScriptedServer.start(closing, reference);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      client.get(GetRequest.of(NAME), Consumer.file(dir.resolve("out")), events);
      closed.await();
      for (int i = 0; i < 5; i++) {
        client.get(GetRequest.of(NAME), Consumer.file(dir.resolve("out")), events);
        assertThat(out()).isEqualTo(content);
      }
      assertThat(server.connections()).isEqualTo(2);
    }
  }

  @Test
  void shouldEndARunningCallWhenItIsClosed() throws Exception {
    byte[] content = content(100, 29);
    CountDownLatch waiting = new CountDownLatch(1);
    Script script =
        peer -> {
          peer.readyGet(peer.expectInfo("GET"), 100, "id");
          peer.data(content, 0, 50);
          peer.expectOffset(50);
          waiting.countDown();
          peer.expectEnd();
        };
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    try (ScriptedServer server = ScriptedServer.start(script)) {
      TheseusClient client = new TheseusClient(quick(server).build());
      Thread thread =
          new Thread(
              () -> {
                try {
                  client.get(GetRequest.of(NAME), Consumer.file(dir.resolve("out")), events);
                } catch (Throwable e) {
                  thrown.set(e);
                }
              });
      thread.start();
      waiting.await();
      client.close();
      thread.join();
    }
    assertThat(thrown.get())
        .isInstanceOfSatisfying(
            TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CANCELLED));
    assertThat(names()).doesNotContain("out");
  }

  @Test
  void shouldEndWhenItsThreadIsInterrupted() throws Exception {
    CountDownLatch waiting = new CountDownLatch(1);
    Script script =
        peer -> {
          peer.expectInfo("GET");
          waiting.countDown();
          peer.expectEnd();
        };
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  client.get(GetRequest.of(NAME), Consumer.file(dir.resolve("out")), events);
                } catch (Throwable e) {
                  thrown.set(e);
                }
              });
      thread.start();
      waiting.await();
      thread.interrupt();
      thread.join();
    }
    assertThat(thrown.get()).hasMessage("interrupted");
  }
}
