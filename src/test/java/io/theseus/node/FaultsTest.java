package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.util.internal.PlatformDependent;
import io.theseus.admin.NodeStatus;
import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What hostile and unlucky clients meet, fault by fault, with the message that they get. The node
 * is one for all tests: none of them may hurt the next.
 */
@Tag("once") // says nothing of a version of Java
final class FaultsTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 24 * MIB;

  /** What READY allows in flight. */
  private static final int WINDOW = 16 * MIB;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static Path directory;
  private static Node node;
  private static byte[] content;

  @BeforeAll
  static void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    node = open(directory, Steps.NONE);
    content = new byte[SIZE];
    new Random(9).nextBytes(content);
    Files.write(file("in"), content);
  }

  private static Node open(Path data, Steps steps, String... more) throws Exception {
    SettingsSource source =
        SettingsSource.defaults()
            .set("data-dir=" + data)
            .set("packets.port=0")
            .set("packets.idle=10s")
            .set("cluster.port=0");
    for (String pair : more) {
      source = source.set(pair);
    }
    return Node.start(source.read(), steps);
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
    /** What one PUT may keep waiting for the disk is 4 MiB; the allocator adds to it. */
    private static final long HELD_BY_EACH = 6L * MIB;

    @Test
    void shouldHoldLittleForClientsThatSendFasterThanTheDisk(@TempDir Path temporary)
        throws Exception {
      int clients = 6;
      CountDownLatch stuck = new CountDownLatch(1);
      Steps disk =
          point -> {
            if (point.equals("put.written")) {
              await().atMost(PATIENCE).until(() -> stuck.getCount() == 0);
            }
          };
      List<RawClient> all = new ArrayList<>();
      try (Node slow = open(temporary, disk)) {
        long before = PlatformDependent.usedDirectMemory();
        AtomicLong sent = new AtomicLong();
        for (int i = 0; i < clients; i++) {
          RawClient client = RawClient.connect(slow);
          all.add(client);
          client.info("PUT " + i + "\nSize: " + SIZE + "\n").expect("READY");
          new Thread(() -> sendBlindly(client, sent)).start();
        }
        AtomicLong last = new AtomicLong(-1);
        // until nothing more goes out: what the node does not take stays in the sockets
        await()
            .atMost(PATIENCE)
            .pollInterval(Duration.ofSeconds(1))
            .until(() -> last.getAndSet(sent.get()) == sent.get());
        assertThat(PlatformDependent.usedDirectMemory() - before)
            .isBetween((long) MIB, clients * HELD_BY_EACH);
        stuck.countDown();
        for (int i = 0; i < clients; i++) {
          while (all.get(i).expectOffset().offset() < WINDOW) {
            // all that was sent is taken now
          }
        }
      } finally {
        stuck.countDown();
        for (RawClient client : all) {
          client.close();
        }
      }
    }

    /** Sends a whole window without looking. */
    private void sendBlindly(RawClient client, AtomicLong sent) {
      int length = 64 << 10;
      try {
        for (int at = 0; at < WINDOW; at += length) {
          client.data(at, content, at, length);
          sent.addAndGet(length);
        }
      } catch (IOException e) {
        // the test has ended
      }
    }

    /** Found by the soak: a client that waits for its OFFSET was told that it is too silent. */
    @Test
    void shouldNotBlameAClientThatWaitsForTheDisk(@TempDir Path temporary) throws Exception {
      CountDownLatch stuck = new CountDownLatch(1);
      Steps disk =
          point -> {
            if (point.equals("put.synced")) {
              await().atMost(PATIENCE).until(() -> stuck.getCount() == 0);
            }
          };
      try (Node slow = open(temporary, disk);
          RawClient client = RawClient.connect(slow)) {
        client.put("PUT waits\n");
        client.data(0, content, 0, 1000);
        // longer than Idle
        await()
            .during(Duration.ofSeconds(12))
            .atMost(PATIENCE)
            .until(() -> slow.status().errors().isEmpty());
        stuck.countDown();
        assertThat(client.expectOffset().offset()).isEqualTo(1000);
      } finally {
        stuck.countDown();
      }
    }

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
      Files.createSymbolicLink(file("process"), Path.of("/proc/self"));
      Files.createSymbolicLink(file("zeros"), Path.of("/dev/zero"));
      Files.createDirectories(file("folder"));
      assertThat(new ProcessBuilder("mkfifo", file("pipe").toString()).start().waitFor()).isZero();
      String[][] expected = {
        {"link", "is a symbolic link"},
        {"folder", "is a folder"},
        {"pipe", "is a special file (FIFO, socket or device)"},
        {"up/secret", "goes through what is no folder"},
        {"process/environ", "goes through what is no folder"},
        {"zeros", "is a symbolic link"},
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
    void shouldListManyTinyFilesPageByPage() throws Exception {
      int files = 20_000;
      Path folder = Files.createDirectories(file("many"));
      for (int i = 0; i < files; i++) {
        Files.createFile(folder.resolve("%06d".formatted(i)));
      }
      List<String> listed = new ArrayList<>();
      int pages = 0;
      try (RawClient client = RawClient.connect(node)) {
        PacketSocket.Said page = client.info("LIST many/\n").expect("LIST");
        while (true) {
          pages++;
          page.body()
              .lines()
              .forEach(line -> listed.add(line.substring(line.lastIndexOf(' ') + 1)));
          if (page.field("More").equals("no")) {
            break;
          }
          String after = listed.get(listed.size() - 1);
          page = client.info("LIST many/\nAfter: " + after + "\n").expect("LIST");
        }
      }
      assertThat(pages).as("pages of at most 64 KiB").isGreaterThan(10);
      assertThat(listed)
          .isEqualTo(IntStream.range(0, files).mapToObj("many/%06d"::formatted).toList());
    }

    @Test
    void shouldRefuseTheFileAndTheByteBeyondTheQuotaAndGoOnWhenThereIsRoom(@TempDir Path temporary)
        throws Exception {
      int files = 2_000;
      Path folder = Files.createDirectories(temporary.resolve("files/tiny"));
      for (int i = 0; i < files; i++) {
        Files.createFile(folder.resolve("%06d".formatted(i)));
      }
      try (Node limited =
              open(temporary, Steps.NONE, "store.max-files=" + (files + 1), "store.max-bytes=100");
          RawClient client = RawClient.connect(limited)) {
        assertThat(limited.status().quota())
            .isEqualTo(new NodeStatus.Quota(0, 100, files, files + 1));
        RawClient.Sending last = client.put("PUT last\nSize: 90\n");
        client.write(last, content, 90);
        client.complete(last, 90);
        assertThat(limited.status().parts())
            .contains(
                new NodeStatus.Part(
                    "quota",
                    "full",
                    "uploads that need more are refused: 2001 files are there of"
                        + " theseus.store.max-files, 2001"));

        assertThat(refusal(limited, "PUT one-more\n"))
            .isEqualTo(
                "no-space: \"one-more\" needs 1 files more (expected: <= 0, as 2001 of 2001,"
                    + " theseus.store.max-files, are used)");
        client.info("DELETE tiny/000000\n").expect("DELETED");
        assertThat(refusal(limited, "PUT large\nSize: 11\n"))
            .isEqualTo(
                "no-space: \"large\" needs 11 bytes more (expected: <= 10, as 90 of 100,"
                    + " theseus.store.max-bytes, are used)");
        try (RawClient grows = RawClient.connect(limited)) {
          grows.put("PUT grows\n");
          grows.data(0, content, 0, 11);
          assertThat(grows.error()).startsWith("no-space: \"grows\" needs 11 bytes more");
        }
        assertThat(temporary.resolve("files/grows")).doesNotExist();
        RawClient.Sending longer = client.put("PUT last\nSize: 100\n");
        client.write(longer, content, 100);
        client.complete(longer, 100);
        assertThat(temporary.resolve("files/last")).hasSize(100);
      }
    }

    private String refusal(Node limited, String command) throws IOException {
      try (RawClient refused = RawClient.connect(limited)) {
        return refused.info(command).error();
      }
    }

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
}
