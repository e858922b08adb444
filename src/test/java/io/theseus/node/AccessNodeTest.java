package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.access.Scope;
import io.theseus.access.Tokens;
import io.theseus.admin.NodeStatus.Part;
import io.theseus.steps.Steps;
import io.theseus.testing.TestKeys;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may do what at a node, and how many may come: over TCP, with the messages that they get. */
@Tag("once") // says nothing of a version of Java
final class AccessNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int MOST = 40;
  private static final byte[] CONTENT = "content".getBytes(java.nio.charset.StandardCharsets.UTF_8);

  private static final String READER = Tokens.make();
  private static final String WRITER = Tokens.make();
  private static Path directory;
  private static Path tokens;
  private static TestKeys keys;
  private static Node node;

  @BeforeAll
  static void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    tokens = temporary.resolve("tokens");
    keys = TestKeys.in(temporary.resolve("keys")).make("node");
    Files.writeString(
        tokens,
        Tokens.line("reader", READER, Set.of(Scope.READ), Optional.empty(), List.of())
            + "\n"
            + Tokens.line(
                "writer",
                WRITER,
                Set.of(Scope.READ, Scope.WRITE),
                Optional.empty(),
                List.of("photos/", "music/"))
            + "\n");
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("packets.idle=10s")
                .set("packets.max-connections=" + MOST)
                .set("packets.max-connections-per-source=" + MOST)
                .set("packets.tls.port=0")
                .set("packets.tls.handshake=2s")
                .set("packets.tls.certificate=" + keys.certificate("node"))
                .set("packets.tls.key=" + keys.key("node"))
                .set("access.tokens=" + tokens)
                .set("access.anonymous=nothing")
                .set("cluster.port=0")
                .read(),
            Steps.NONE);
    for (String name : List.of("a", "music/b", "other/c", "photos/d", "photos/e", "z")) {
      Path file = directory.resolve("files").resolve(name);
      Files.createDirectories(file.getParent());
      Files.write(file, CONTENT);
    }
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static String with(String token) {
    return "Token: " + token + "\n";
  }

  private static String refusal(String command) throws IOException {
    try (RawClient client = RawClient.connect(node)) {
      client.info(command);
      return client.error();
    }
  }

  private static void assertServing() throws IOException {
    try (RawClient client = RawClient.connect(node)) {
      client.info("STAT a\n" + with(READER)).expect("STAT");
    }
  }

  @Test
  void shouldDoNothingForClientsWithoutAToken() throws Exception {
    assertThat(refusal("GET a\n"))
        .isEqualTo("denied: GET with no token (expected: a token with the scope read)");
    assertThat(refusal("LIST\n"))
        .isEqualTo("denied: LIST with no token (expected: a token with the scope read)");
    assertThat(refusal("DELETE a\n"))
        .isEqualTo("denied: DELETE with no token (expected: a token with the scope write)");
  }

  @Test
  void shouldLetAReaderRead() throws Exception {
    try (RawClient client = RawClient.connect(node)) {
      client.info("GET a\nWindow: 100\n" + with(READER)).expect("READY");
      client.read(new byte[CONTENT.length], 0, CONTENT.length);
      client.expect("COMPLETE");
      client.info("LIST\n" + with(READER));
      assertThat(names(client.expect("LIST").body())).contains("a", "other/c", "z");
    }
    assertThat(refusal("PUT new\nSize: 1\n" + with(READER)))
        .isEqualTo("denied: PUT with the token reader (expected: a token with the scope write)");
    assertThat(refusal("DELETE a\n" + with(READER))).startsWith("denied: DELETE with the token");
  }

  private static List<String> names(String body) {
    return body.lines().map(line -> line.split(" ", 4)[3]).toList();
  }

  @Test
  void shouldHonourPrefixesEverywhere() throws Exception {
    try (RawClient client = RawClient.connect(node)) {
      RawClient.Sending sending = client.put("PUT photos/new\nSize: 7\n" + with(WRITER));
      client.write(sending, CONTENT, 7);
      client.complete(sending, 7);
      client.info("STAT music/b\n" + with(WRITER)).expect("STAT");
      client.info("DELETE photos/new\n" + with(WRITER)).expect("DELETED");
      // a list shows what may be seen, in order, page by page
      client.info("LIST\n" + with(WRITER));
      assertThat(names(client.expect("LIST").body()))
          .containsExactly("music/b", "photos/d", "photos/e");
      client.info("LIST photos/\nAfter: photos/d\n" + with(WRITER));
      assertThat(names(client.expect("LIST").body())).containsExactly("photos/e");
      client.info("LIST other/\n" + with(WRITER));
      assertThat(client.expect("LIST").body()).isEmpty();
    }
    // whether it is there or not
    for (String name : List.of("other/c", "other/none", "photo", "a")) {
      for (String verb : List.of("GET", "PUT", "STAT", "DELETE")) {
        assertThat(refusal(verb + " " + name + "\n" + with(WRITER)))
            .isEqualTo(
                "denied: \""
                    + name
                    + "\" with the token writer (expected: a name that begins with \"photos/\" or"
                    + " \"music/\")");
      }
    }
  }

  @Test
  void shouldTakeTheFileOfTokensAsItIsNow() throws Exception {
    String late = Tokens.make();
    String before = Files.readString(tokens);
    TestKeys.replace(
        tokens,
        before + Tokens.line("late", late, Set.of(Scope.READ), Optional.empty(), List.of()) + "\n");
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              try (RawClient client = RawClient.connect(node)) {
                return client.info("STAT a\n" + with(late)).next().toString().contains("STAT");
              }
            });
    TestKeys.replace(tokens, before + "nonsense\n");
    await().atMost(PATIENCE).until(() -> !part().isNormal());
    assertThat(part())
        .isEqualTo(
            new Part(
                "tokens",
                "not taken",
                "\""
                    + tokens
                    + "\" line 3: words: \"1\" (expected: name, hash, scopes); the 3 that were read"
                    + " before stay in use"));
    TestKeys.replace(tokens, before);
    await().atMost(PATIENCE).until(() -> part().isNormal());
    assertThat(refusal("STAT a\n" + with(late))).startsWith("denied: the token is not known");
  }

  private static long connections(String state) {
    return java.util.Objects.requireNonNull(node.status().counters().get("connections-" + state));
  }

  private static Part part() {
    return node.status().parts().stream()
        .filter(part -> part.name().equals("tokens"))
        .findFirst()
        .orElseThrow();
  }

  /** Slow clients and too many of them. */
  @Nested
  final class Row22 {
    private final List<AutoCloseable> open = new ArrayList<>();

    private void closeAll() throws Exception {
      for (AutoCloseable each : open) {
        each.close();
      }
      // their places are free again
      await().atMost(PATIENCE).until(() -> connections("open") == 0);
    }

    private Socket tcp(String address) throws IOException {
      Socket socket =
          new Socket(
              InetAddress.getLoopbackAddress(),
              Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)));
      socket.setSoTimeout((int) PATIENCE.toMillis());
      open.add(socket);
      return socket;
    }

    @Test
    void shouldTellThoseBeyondTheLimitThatItIsBusy() throws Exception {
      await().atMost(PATIENCE).until(() -> connections("open") == 0);
      long refused = connections("refused");
      try {
        for (int i = 0; i < MOST; i++) {
          RawClient client =
              i % 2 == 0 ? RawClient.connect(node) : RawClient.connect(node, keys.clients("TLS"));
          open.add(client);
          client.info("STAT a\n" + with(READER)).expect("STAT");
        }
        String busy =
            "busy: 40 connections are open (expected: no more, by theseus.packets.max-connections)";
        try (RawClient plain = RawClient.connect(node);
            RawClient encrypted = RawClient.connect(node, keys.clients("TLS"))) {
          assertThat(plain.error()).isEqualTo(busy);
          assertThat(encrypted.error()).isEqualTo(busy);
        }
        assertThat(node.status().counters())
            .containsEntry("connections-open", (long) MOST)
            .containsEntry("connections-refused", refused + 2);
        // those that are in are served
        ((RawClient) open.get(0)).info("STAT a\n" + with(READER)).expect("STAT");
        open.remove(0).close();
        await().atMost(PATIENCE).until(() -> connections("open") < MOST);
        assertServing();
      } finally {
        closeAll();
      }
    }

    @Test
    void shouldServeAGoodClientBesideStalledOnes() throws Exception {
      try {
        for (int i = 0; i < 8; i++) {
          // begins no TLS; begins it and stops; begins a packet; begins a PUT; reads nothing
          tcp(node.tlsAddress().orElseThrow());
          tcp(node.tlsAddress().orElseThrow()).getOutputStream().write(new byte[] {22, 3, 1, 2, 0});
          OutputStream header = tcp(node.packetsAddress().orElseThrow()).getOutputStream();
          header.write(new byte[] {2, 0, 0});
          RawClient body = RawClient.connect(node);
          open.add(body);
          body.put("PUT photos/stalled" + i + "\nSize: 1000000\n" + with(WRITER));
          body.send(new byte[] {3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        }
        assertServing();
        assertThat(connections("open")).isLessThanOrEqualTo(MOST);
        // all of them are let go in time
        await().atMost(PATIENCE).until(() -> connections("open") == 0);
      } finally {
        closeAll();
      }
    }
  }

  /** Whoever has no business here. */
  @Nested
  final class Row23 {
    @Test
    void shouldRefuseAWrongTokenAndServeOthersMeanwhile() throws Exception {
      try (RawClient guesser = RawClient.connect(node)) {
        guesser.info("STAT a\n" + with(Tokens.make()));
        // a right token of the same source is not late
        assertServing();
        assertThat(guesser.error())
            .isEqualTo("denied: the token is not known (expected: one that the node was told of)");
      }
    }

    @Test
    void shouldHoldNoThreadForManyGuesses() throws Exception {
      List<RawClient> guessers = new ArrayList<>();
      try {
        for (int i = 0; i < 5; i++) {
          RawClient guesser = RawClient.connect(node);
          guessers.add(guesser);
          guesser.info("STAT a\n" + with("guess" + i));
        }
        assertServing();
        for (RawClient guesser : guessers) {
          assertThat(guesser.error()).startsWith("denied: the token is not known (expected: ");
        }
      } finally {
        for (RawClient guesser : guessers) {
          guesser.close();
        }
      }
    }
  }
}
