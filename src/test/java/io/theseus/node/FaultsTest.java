package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What hostile and unlucky clients meet, fault by fault, with the message that they get. The node
 * is one for all tests: none of them may hurt the next.
 */
final class FaultsTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 24 * MIB;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static Path directory;
  private static Node node;
  private static byte[] content;

  @BeforeAll
  static void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    node = open(directory);
    content = new byte[SIZE];
    new Random(9).nextBytes(content);
    Files.write(file("in"), content);
  }

  private static Node open(Path data, String... more) throws Exception {
    SettingsSource source =
        SettingsSource.defaults()
            .set("data-dir=" + data)
            .set("packets.port=0")
            .set("packets.idle=10s")
            .set("cluster.port=0");
    for (String pair : more) {
      source.set(pair);
    }
    return Node.start(source.read(), Steps.NONE);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static Path file(String name) {
    return directory.resolve("files").resolve(name);
  }

  private static void assertServing(Node serving) throws IOException {
    try (RawClient client = RawClient.connect(serving)) {
      client.info("LIST\n").expect("LIST");
    }
  }

  /** Clients that vanish, stall or break off. */
  @Nested
  final class Row6 {
    @Test
    void shouldCutOffAClientThatNeverReads() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.info("GET in\nWindow: " + SIZE + "\n");
        // it says that it lives, which excuses not acknowledging, but not not reading
        await()
            .atMost(PATIENCE)
            .pollInterval(Duration.ofSeconds(1))
            .ignoreExceptions()
            .until(
                () -> {
                  try {
                    client.info("ALIVE\n");
                    return false;
                  } catch (IOException e) {
                    return true;
                  }
                });
        assertThat(client.cutOff()).isTrue();
      }
      assertServing(node);
    }

    @Test
    void shouldBearAClientThatNeverAcknowledgesAsLongAsItLives() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.info("GET in\nWindow: 100000\n").expect("READY");
        long got = 0;
        while (got < 100_000) {
          got += client.expectData().bytes().length;
        }
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(12);
        await()
            .atMost(PATIENCE)
            .pollInterval(Duration.ofSeconds(2))
            .until(
                () -> {
                  client.info("ALIVE\n");
                  return System.nanoTime() > until;
                });
        assertThat(got).as("never over the window").isEqualTo(100_000);
        client.offset(100_000);
        assertThat(client.expectData().offset()).isEqualTo(100_000);
      }
    }

    @Test
    void shouldTellAHalfOpenClientThatItWasTooSilent() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.info("GET in\n").expect("READY");
        assertThat(client.error())
            .isEqualTo(
                "timeout: no whole packet for 10 s (expected: a packet, ALIVE at least, within the"
                    + " Idle of 10 s)");
      }
    }

    @Test
    void shouldResumeAPutBehindAReset() throws Exception {
      String command = "PUT reset\nSession: " + UUID.randomUUID() + "\nSize: " + SIZE + "\n";
      long acked;
      try (RawClient client = RawClient.connect(node)) {
        RawClient.Sending sending = client.put(command);
        client.write(sending, content, 20 * MIB);
        acked = sending.acked();
        client.socket().setSoLinger(true, 0);
      }
      assertThat(acked).isPositive();
      try (RawClient client = RawClient.connect(node)) {
        RawClient.Sending sending = client.put(command + "Offset: " + acked + "\n");
        assertThat(sending.acked()).isGreaterThanOrEqualTo(acked);
        client.write(sending, content, SIZE);
        client.complete(sending, SIZE);
      }
      assertThat(file("reset")).hasBinaryContent(content);
    }
  }

  /** Packets that are none. */
  @Nested
  final class Row18 {
    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "00 | bad-packet: .*type.*0.*expected.*",
          "07 | bad-packet: .*type.*7.*expected.*",
          "ff | bad-packet: .*type.*255.*expected.*",
          "05 | bad-packet: packet type: 5 .expected: 1 to 4; BACKUP packets travel between members only.",
          "06 | bad-packet: packet type: 6 .expected: 1 to 4; BACKUP packets travel between members only.",
          "02 00010001 | bad-packet: .*65537.*65536.*",
          "02 7fffffff | bad-packet: .*2147483647.*65536.*",
          "02 80000000 | bad-packet: .*2147483648.*65536.*",
          "02 ffffffff | bad-packet: .*4294967295.*65536.*",
          "01 ffffffff | bad-packet: .*4294967295.*65536.*",
          "03 00000000 0000000000000000 | bad-packet: .*0.*expected.*",
          "03 ffffffff 0000000000000000 | bad-packet: .*4294967295.*expected.*",
          "03 00000001 8000000000000000 | bad-packet: .*9223372036854775808.*expected.*",
          "04 8000000000000000 | bad-packet: .*9223372036854775808.*expected.*",
          "02 00000002 c328 | bad-packet: .*UTF-8.*",
          "02 00000003 474554 | bad-name: .*expected.*",
          "02 00000005 48454c4c4f | bad-packet: verb .HELLO. \\(expected: GET, PUT, .*",
        })
    void shouldNameWhatIsWrongWithAPacket(String hex, String message) throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.send(HexFormat.of().parseHex(hex.replace(" ", "")));
        assertThat(client.error()).matches("(?s)" + message);
      }
      assertServing(node);
    }

    @Test
    void shouldRefuseDataAtAWrongOffset() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.put("PUT gap\nSize: 100\n");
        client.data(5, content, 0, 10);
        assertThat(client.error())
            .isEqualTo("bad-offset: DATA at 5 (expected: at 0, where the last one ended)");
      }
      assertThat(file("gap")).doesNotExist();
    }

    @Test
    void shouldEndAPacketThatIsOneByteASecond() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        byte[] begun = ByteBuffer.allocate(5).put((byte) 2).putInt(60_000).array();
        client.send(begun);
        await()
            .atMost(PATIENCE)
            .pollInterval(Duration.ofSeconds(1))
            .until(
                () -> {
                  client.send("x".getBytes(StandardCharsets.UTF_8));
                  return client.socket().getInputStream().available() > 0;
                });
        assertThat(client.error()).startsWith("timeout: no whole packet for 10 s (expected: ");
      }
    }
  }

  /** Names that point elsewhere. */
  @Nested
  final class Row19 {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "..",
          "../in",
          "a/../in",
          "/etc/passwd",
          "a//b",
          "a/",
          "./in",
          "a\\b",
          "a\u0001b",
          "a\u0000b",
          "a\u007fb",
          "a\u0085b"
        })
    void shouldRefuseABadNameOfEveryVerb(String name) throws Exception {
      for (String verb : new String[] {"GET", "PUT", "STAT", "DELETE"}) {
        try (RawClient client = RawClient.connect(node)) {
          client.info(verb + " " + name + "\n");
          assertThat(client.error()).startsWith("bad-name: ").contains("(expected: ");
        }
      }
    }

    @Test
    void shouldRefuseANameThatIsTooLong() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.info("GET " + "a/".repeat(2048) + "a\n");
        assertThat(client.error()).matches("bad-name: .*4097.*\\(expected: .*1024.*");
      }
      try (RawClient client = RawClient.connect(node)) {
        client.info("GET " + "a".repeat(256) + "\n");
        assertThat(client.error())
            .matches("bad-name: \"a+…\" \\(expected: components of at most 255 bytes\\)");
      }
    }

    @Test
    void shouldTakeEscapesAndDirectionMarksForWhatTheyAre() throws Exception {
      for (String name : new String[] {"%2e%2e%2fin", "\u202egpj.exe"}) {
        try (RawClient client = RawClient.connect(node)) {
          RawClient.Sending sending = client.put("PUT " + name + "\nSize: 3\n");
          client.write(sending, content, 3);
          client.complete(sending, 3);
        }
        assertThat(file(name)).hasSize(3);
      }
      try (RawClient client = RawClient.connect(node)) {
        client.info("GET no\u202esuch\n");
        assertThat(client.error()).startsWith("not-found: ").doesNotContain("\u202e");
      }
    }

    @Test
    void shouldServeRegularFilesOnlyAndFollowNoLink() throws Exception {
      Path secret = Files.writeString(directory.resolve("secret"), "secret");
      Files.createSymbolicLink(file("link"), secret);
      Files.createSymbolicLink(file("up"), directory);
      Files.createDirectories(file("folder"));
      assertThat(new ProcessBuilder("mkfifo", file("pipe").toString()).start().waitFor()).isZero();
      String[][] expected = {
        {"link", "is a symbolic link"},
        {"folder", "is a folder"},
        {"pipe", "is a special file (FIFO, socket or device)"},
        {"up/secret", "goes through what is no folder"},
      };
      for (String[] each : expected) {
        try (RawClient client = RawClient.connect(node)) {
          client.info("GET " + each[0] + "\n");
          assertThat(client.error()).startsWith("not-found: \"" + each[0] + "\"").contains(each[1]);
        }
      }
    }
  }

  /** Sizes that don't fit, and rivals. */
  @Nested
  final class Row20 {
    @Test
    void shouldRefuseMoreThanTheSize() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.put("PUT over\nSize: 10\n");
        client.data(0, content, 0, 11);
        assertThat(client.error())
            .isEqualTo("bad-offset: DATA up to 11 (expected: at most the Size, 10)");
      }
      assertThat(file("over")).doesNotExist();
    }

    @Test
    void shouldRefuseAnEndBeforeTheSize() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.put("PUT under\nSize: 10\n");
        client.data(0, content, 0, 9).info("END\nSize: 9\n");
        assertThat(client.error())
            .isEqualTo(
                "bad-offset: END with Size: 9 (expected: 10, the Size of the PUT, behind its last"
                    + " byte)");
      }
      assertThat(file("under")).doesNotExist();
    }

    @Test
    void shouldShowNothingWhereEndContradictsTheCommand() throws Exception {
      String one = "11".repeat(32);
      String right = sha256(9);
      try (RawClient client = RawClient.connect(node)) {
        client.put("PUT contradicted\nSHA-256: " + right + "\n");
        client.data(0, content, 0, 9).info("END\nSize: 9\nSHA-256: " + one + "\n");
        assertThat(client.error())
            .isEqualTo(
                "bad-field: SHA-256 of END: "
                    + one
                    + " (expected: that of the PUT, "
                    + right
                    + ")");
      }
      await()
          .during(Duration.ofMillis(500))
          .atMost(PATIENCE)
          .until(() -> Files.notExists(file("contradicted")));
    }

    private static String sha256(int length) throws Exception {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(content, 0, length);
      return HexFormat.of().formatHex(digest.digest());
    }

    @Test
    void shouldLetOneOfTwoPutsWinWhole() throws Exception {
      byte[] other = new byte[SIZE];
      try (RawClient one = RawClient.connect(node);
          RawClient two = RawClient.connect(node)) {
        RawClient.Sending first = one.put("PUT both\nSize: " + SIZE + "\n");
        RawClient.Sending second = two.put("PUT both\nSize: " + SIZE + "\n");
        for (int at = MIB; at <= SIZE; at += MIB) {
          one.write(first, content, at);
          two.write(second, other, at);
        }
        one.complete(first, SIZE);
        two.complete(second, SIZE);
      }
      byte[] winner = Files.readAllBytes(file("both"));
      assertThat(winner).isIn(content, other);
    }

    @Test
    void shouldRefuseASizeThatNoDiskHas() throws Exception {
      try (RawClient client = RawClient.connect(node)) {
        client.info("PUT huge\nSize: " + (1L << 60) + "\n");
        assertThat(client.error())
            .matches(
                "no-space: \"huge\" needs 1152921504606846976 bytes \\(expected: <= \\d+, which is what"
                    + " uploads may still use; 67108864 stay free\\)");
      }
      assertServing(node);
    }
  }

  /** A full disk. */
  @Nested
  final class Row8 {
    private static final int DISK_MIB = 220;

    @Test
    void shouldRefuseKeepServeAndRecoverWhenTheDiskIsFull(@TempDir Path mount) throws Exception {
      assumeTrue(
          "root".equals(System.getProperty("user.name")),
          "not root: no file system of a limited size can be mounted");
      assumeTrue(
          run("mount", "-t", "tmpfs", "-o", "size=" + DISK_MIB + "m", "tmpfs", mount.toString())
              == 0,
          "mount is not permitted here: no file system of a limited size");
      try (Node small = open(mount.resolve("data"))) {
        Path ballast = mount.resolve("ballast");
        byte[] old = new byte[MIB];
        put(small, "PUT name\nSize: " + MIB + "\n", old);
        Files.write(ballast, new byte[(int) (mount.toFile().getUsableSpace() - 70L * MIB)]);
        try (RawClient client = RawClient.connect(small)) {
          client.info("PUT name\nSize: " + 24 * MIB + "\n");
          assertThat(client.error())
              .matches(
                  "no-space: \"name\" needs 25165824 bytes \\(expected: <= \\d+, which is what uploads"
                      + " may still use; 67108864 stay free\\)");
        }
        String session = "PUT name\nSession: " + UUID.randomUUID() + "\n";
        try (RawClient client = RawClient.connect(small)) {
          // of unknown size: refused when it does not fit any more
          client.info(session).expect("READY");
          String error = fill(client);
          assertThat(error)
              .matches("no-space: \"name\" needs \\d+ bytes \\(expected: <= \\d+, which is .*");
        }
        try (RawClient client = RawClient.connect(small)) {
          client.info("GET name\nWindow: " + MIB + "\n").expect("READY");
          byte[] read = new byte[MIB];
          client.read(read, 0, MIB);
          client.expect("COMPLETE");
          assertThat(read).as("the old content").isEqualTo(old);
        }
        Files.delete(ballast);
        put(small, session, content);
        assertThat(mount.resolve("data/files/name")).hasBinaryContent(content);
      } finally {
        assertThat(run("umount", "-l", mount.toString())).isZero();
      }
    }

    /** Sends without looking until an ERROR comes. */
    private String fill(RawClient client) throws IOException {
      long acked = client.expectOffset().offset();
      long sent = acked;
      while (true) {
        while (sent + MIB <= acked + 8L * MIB && sent + MIB <= SIZE) {
          client.data(sent, content, (int) sent, MIB);
          sent += MIB;
        }
        PacketSocket.Packet packet = client.next();
        if (packet instanceof PacketSocket.Refused refused) {
          return refused.text();
        }
        acked = ((PacketSocket.Offset) packet).offset();
      }
    }

    private static int run(String... command) throws Exception {
      return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    private static void put(Node node, String command, byte[] bytes) throws IOException {
      try (RawClient client = RawClient.connect(node)) {
        RawClient.Sending sending = client.put(command);
        client.write(sending, bytes, bytes.length);
        if (!command.contains("Size")) {
          client.info("END\nSize: " + bytes.length + "\n");
        }
        client.complete(sending, bytes.length);
      }
    }
  }
}
