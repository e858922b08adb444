package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket.Data;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Said;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Live streams over the packet port: a spooled one that is rewound, and resumes of both kinds. */
final class SpooledStreamTest {
  private static final int SPOOL = 512 << 10;
  private static final int FIRST = 400_000;
  private static final int ALL = 800_000;
  private static final Pattern KEPT =
      Pattern.compile(
          "bad-offset: Offset: 50000 \\(expected: (\\d+) to (\\d+), what the live stream still"
              + " keeps\\)");

  private Path directory;
  private Path fifo;
  private byte[] content;
  private Node node;

  @BeforeEach
  void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    content = new byte[ALL];
    new Random(11).nextBytes(content);
    Path first = Files.write(directory.resolve("first"), Arrays.copyOf(content, FIRST));
    fifo = directory.resolve("fifo");
    assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
    String script = "cat " + first + "; cat " + fifo;
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory.resolve("data"))
                .set("packets.port=0")
                .set("cluster.port=0")
                .set(
                    "live={s={command=[sh,-c,\""
                        + script
                        + "\"],spool=512 KiB},own={command=[cat,\""
                        + first
                        + "\"]}}")
                .read(),
            Steps.NONE);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  /** Reads DATA from an offset on, and drops what was on its way from another. */
  private void read(RawClient client, long from, long upTo) throws IOException {
    long at = from;
    while (at < upTo) {
      Packet packet = client.next();
      if (packet instanceof Data data && data.offset() == at) {
        int length = data.bytes().length;
        assertThat(data.bytes())
            .isEqualTo(Arrays.copyOfRange(content, (int) at, (int) at + length));
        at += length;
        client.offset(at);
      }
    }
  }

  @Test
  void shouldServeReadersAtTheirOwnOffsetsAndRefuseWhatItHasLeftBehind() throws Exception {
    String identity;
    String session;
    try (RawClient a = RawClient.connect(node);
        RawClient b = RawClient.connect(node)) {
      Said ready = a.info("GET s\nWindow: 1048576\n").expect("READY");
      assertThat(ready.field("Producer")).isEqualTo("rewindable");
      assertThat(ready.field("Size")).isEqualTo("unknown");
      identity = ready.field("Identity");
      session = ready.field("Session");
      read(a, 0, 300_000);

      b.info("GET s\nOffset: 100000\nIdentity: " + identity + "\nConsumer: stream\n");
      assertThat(b.expect("READY").field("Identity")).isEqualTo(identity);
      read(b, 100_000, FIRST);

      // back, within the window
      a.offset(50_000);
      read(a, 50_000, 200_000);
      a.offset(ALL);
      assertThat(a.error())
          .isEqualTo(
              "bad-offset: OFFSET: 800000 (expected: 0 to 400000, what the live stream still"
                  + " keeps)");
    }
    // the connection is gone, the stream is not
    String resume = "\nIdentity: " + identity + "\nSession: " + session + "\n";
    try (RawClient again = RawClient.connect(node)) {
      again.info("GET s\nWindow: 1048576\nOffset: 50000" + resume);
      assertThat(again.expect("READY").field("Identity")).isEqualTo(identity);
      read(again, 50_000, FIRST);
      try (OutputStream out = Files.newOutputStream(fifo)) {
        for (int at = FIRST; at < ALL; at += 50_000) {
          out.write(content, at, 50_000);
          out.flush();
          read(again, at, at + 50_000L);
        }
      }
      again.expect("END");
      assertThat(again.expect("COMPLETE").number("Size")).isEqualTo(ALL);
    }
    try (RawClient late = RawClient.connect(node)) {
      late.info("GET s\nOffset: 50000" + resume);
      Matcher refusal = KEPT.matcher(late.error());
      assertThat(refusal.matches()).isTrue();
      assertThat(Long.parseLong(refusal.group(1))).isBetween((long) ALL - SPOOL, (long) ALL);
      assertThat(refusal.group(2)).isEqualTo(String.valueOf(ALL));
    }
    try (RawClient late = RawClient.connect(node)) {
      late.info("GET s\nWindow: 1048576\nOffset: 700000" + resume);
      late.expect("READY");
      late.expect("END");
      read(late, 700_000, ALL);
      late.expect("COMPLETE");
    }
  }

  @Test
  void shouldTellAReaderThatTheStreamHasLeftItBehind() throws Exception {
    try (RawClient slow = RawClient.connect(node)) {
      slow.info("GET s\nMax-Data: 1000\n").expect("READY");
      assertThat(slow.expectData().offset()).isZero();
      try (OutputStream out = Files.newOutputStream(fifo)) {
        out.write(content, FIRST, ALL - FIRST);
      }
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> assertThat(directory.resolve("data/spool").toFile().list()).hasSize(8));
      assertThat(slow.offset(1000).error())
          .startsWith("bad-offset: ")
          .contains("what the live stream still keeps");
    }
  }

  @Test
  void shouldBeginAnewForWhoCanGoBackAndRefuseWhoCannot() throws Exception {
    for (String stream : new String[] {"s", "own"}) {
      try (RawClient client = RawClient.connect(node)) {
        client.info("GET " + stream + "\nOffset: 5\nIdentity: other\nConsumer: stream\n");
        assertThat(client.error())
            .startsWith("changed: Identity: other, but the stream is ")
            .endsWith(" now (expected: the same, because a Consumer: stream can't go back)");
      }
    }
    try (RawClient client = RawClient.connect(node)) {
      client.info("GET s\nOffset: 5\nWindow: 1048576\nIdentity: other\n");
      String identity = client.expect("READY").field("Identity");
      Said restart = client.expect("RESTART");
      assertThat(restart.field("Identity")).isEqualTo(identity);
      assertThat(restart.field("Size")).isEqualTo("unknown");
      client.offset(5).offset(0);
      read(client, 0, FIRST);
    }
    try (RawClient client = RawClient.connect(node)) {
      client.info("GET own\n");
      assertThat(client.error()).startsWith("incompatible: Consumer: rewindable, but \"own\" is");
    }
  }
}
