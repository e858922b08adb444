package io.theseus.client;

import static io.theseus.client.ClientFixture.NAME;
import static io.theseus.client.ClientFixture.quick;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.client.ScriptedServer.Script;
import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.Info;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class QuestionTest {
  private static final String HASH = "ab".repeat(32);

  @Test
  void shouldReadWhatStatSays() throws Exception {
    Script script =
        peer -> {
          Info command = peer.expectInfo("STAT");
          assertThat(command.argument()).isEqualTo(NAME.value());
          assertThat(command.text("Token")).contains("t");
          peer.info(
              "STAT",
              "Size: 42",
              "Identity: abc",
              "Modified: 2026-01-31T12:00:00.5Z",
              "SHA-256: " + HASH.toUpperCase(java.util.Locale.ROOT));
          peer.expectInfo("STAT");
          peer.info("STAT", "Size: unknown", "Identity: -", "Modified: -");
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).token("t").build())) {
      assertThat(client.stat(NAME))
          .isEqualTo(
              new FileStat(
                  OptionalLong.of(42),
                  Optional.of("abc"),
                  Optional.of(Instant.parse("2026-01-31T12:00:00.5Z")),
                  Optional.of(HASH)));
      assertThat(client.stat(NAME))
          .isEqualTo(
              new FileStat(
                  OptionalLong.empty(), Optional.empty(), Optional.empty(), Optional.empty()));
    }
  }

  @Test
  void shouldListPageAfterPageAndSayWhoCouldNotBeReached() throws Exception {
    Script script =
        peer -> {
          Info command = peer.expectInfo("LIST");
          assertThat(command.argument()).isEqualTo("dir/");
          assertThat(command.untrimmed("After")).isEmpty();
          peer.info(
              "LIST",
              "More: yes",
              "Unreachable: 127.0.0.1:1, 127.0.0.1:2",
              "",
              "1 2026-01-31T12:00:00Z id1 dir/a",
              "unknown - - dir/live with  two spaces ");
          command = peer.expectInfo("LIST");
          assertThat(command.untrimmed("After")).contains("dir/live with  two spaces ");
          peer.info("LIST", "More: no", "", "2 2026-01-31T12:00:00Z id2 dir/z");
          peer.expectEnd();
        };
    List<ListPage> pages = new ArrayList<>();
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      client.list("dir/", pages::add);
    }
    assertThat(pages).hasSize(2);
    assertThat(pages.get(0).unreachable()).containsExactly("127.0.0.1:1", "127.0.0.1:2");
    assertThat(pages.get(0).entries().get(1))
        .isEqualTo(
            new ListEntry(
                OptionalLong.empty(),
                Optional.empty(),
                Optional.empty(),
                "dir/live with  two spaces "));
    assertThat(pages.get(1).entries())
        .containsExactly(
            new ListEntry(
                OptionalLong.of(2),
                Optional.of(Instant.parse("2026-01-31T12:00:00Z")),
                Optional.of("id2"),
                "dir/z"));
    assertThat(pages.get(1).more()).isFalse();
  }

  @Test
  void shouldListEverythingByAnEmptyPrefix() throws Exception {
    Script script =
        peer -> {
          assertThat(peer.expectInfo("LIST").argument()).isEmpty();
          peer.info("LIST", "More: no", "");
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      assertThat(client.list("", Optional.empty()).entries()).isEmpty();
    }
  }

  @Test
  void shouldNotListForEverWherePagesDoNotAdvance() throws Exception {
    Script script =
        peer -> {
          for (int i = 0; i < 2; i++) {
            peer.expectInfo("LIST");
            peer.info("LIST", "More: yes", "", "1 - - a");
          }
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      assertThatThrownBy(() -> client.list("", page -> {}))
          .hasMessage("LIST page ends at \"a\" (expected: after a)");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1 - a",
        "x - id a/b",
        "1 yesterday id a/b",
        "1 - bad\u0001id a/b",
        "1 - id a/../../etc/passwd",
        "1 - id /a/b",
        "1 - id b/a"
      })
  void shouldRefuseALineThatIsNotOne(String line) throws Exception {
    List<String> errors = new CopyOnWriteArrayList<>();
    Script script =
        peer -> {
          peer.expectInfo("LIST");
          peer.info("LIST", "More: no", "", line);
          errors.add(peer.expectError());
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      assertThatThrownBy(() -> client.list("a/", Optional.empty()))
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.kind()).isEqualTo(Kind.PROTOCOL));
    }
    assertThat(errors).singleElement().asString().matches("bad-(field|name): .*\\(expected: .*\\)");
  }

  @Test
  void shouldDeleteAndGiveTheIdentityOfWhatIsGone() throws Exception {
    Script script =
        peer -> {
          Info command = peer.expectInfo("DELETE");
          assertThat(command.text("If-Identity")).contains("abc");
          peer.info("NOTICE", "Text: one moment");
          peer.info("DELETED", "Identity: abc");
          peer.expectEnd();
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      assertThat(client.delete(NAME, Optional.of("abc"))).contains("abc");
    }
  }

  @Test
  void shouldSayThatAnEarlierAttemptMayHaveDeletedIt() throws Exception {
    Script lost =
        peer -> {
          peer.expectInfo("DELETE");
          peer.info("ALIVE");
        };
    Script gone =
        peer -> {
          peer.expectInfo("DELETE");
          peer.error("not-found: " + NAME);
        };
    try (ScriptedServer server = ScriptedServer.start(lost, gone);
        TheseusClient client = new TheseusClient(quick(server).build())) {
      assertThatThrownBy(() -> client.delete(NAME, Optional.empty()))
          .hasMessageContaining("not-found: dir/some file")
          .hasMessageContaining("which may have deleted it")
          .isInstanceOfSatisfying(
              TransferException.class, e -> assertThat(e.code()).contains(ErrorCode.NOT_FOUND));
    }
  }

  @Test
  void shouldFollowMigrateAsAnAnswer() throws Exception {
    Script owner =
        peer -> {
          peer.expectInfo("STAT");
          peer.info("STAT", "Size: 1", "Identity: abc");
        };
    try (ScriptedServer second = ScriptedServer.start(owner)) {
      Script moved =
          peer -> {
            peer.expectInfo("STAT");
            peer.info("MIGRATE", "Node: " + second.address());
            peer.expectEnd();
          };
      try (ScriptedServer first = ScriptedServer.start(moved);
          TheseusClient client = new TheseusClient(quick(first).build())) {
        assertThat(client.stat(NAME).size()).hasValue(1);
      }
    }
  }

  @Test
  void shouldEndTheChaseOfNodesThatSendItRound() throws Exception {
    // each says that it is at the other
    NodeAddress[] addresses = new NodeAddress[2];
    Script toSecond =
        peer -> {
          peer.expectInfo("STAT");
          peer.info("MIGRATE", "Node: " + addresses[1]);
        };
    Script toFirst =
        peer -> {
          peer.expectInfo("STAT");
          peer.info("MIGRATE", "Node: " + addresses[0]);
        };
    try (ScriptedServer first = ScriptedServer.start(toSecond);
        ScriptedServer second = ScriptedServer.start(toFirst)) {
      addresses[0] = first.address();
      addresses[1] = second.address();
      ClientSettings settings =
          quick(first)
              .reconnectLimit(Duration.ofMillis(300))
              .backoff(Duration.ofMillis(20), Duration.ofMillis(40))
              .build();
      try (TheseusClient client = new TheseusClient(settings)) {
        assertThatThrownBy(() -> client.stat(new FileName("x")))
            .hasMessageContaining("moved to 127.0.0.1:");
      }
      assertThat(first.connections() + second.connections()).isBetween(4, 30);
    }
  }

  @Test
  void shouldAskTheNextServerWhereOneIsDown() throws Exception {
    Script serve =
        peer -> {
          peer.expectInfo("STAT");
          peer.info("STAT", "Size: 1", "Identity: abc");
        };
    try (java.net.Socket bound = new java.net.Socket();
        ScriptedServer server = ScriptedServer.start(serve)) {
      bound.bind(new java.net.InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), 0));
      ClientSettings settings =
          quick(server)
              .servers(
                  List.of(new NodeAddress("127.0.0.1", bound.getLocalPort()), server.address()))
              .build();
      try (TheseusClient client = new TheseusClient(settings)) {
        assertThat(client.stat(NAME).size()).hasValue(1);
      }
    }
  }

  @Test
  void shouldTraceEachPacketOnOneLineWithoutSecrets() throws Exception {
    List<String> lines = new CopyOnWriteArrayList<>();
    Script script =
        peer -> {
          peer.expectInfo("STAT");
          peer.error("not-found: no\u202Ewhere\nelse");
        };
    try (ScriptedServer server = ScriptedServer.start(script);
        TheseusClient client =
            new TheseusClient(quick(server).token("s3cret").trace(lines::add).build())) {
      assertThatThrownBy(() -> client.stat(NAME)).hasMessageStartingWith("not-found: ");
    }
    assertThat(lines)
        .containsExactly(
            "> INFO STAT dir/some file | Token: ...", "< ERROR not-found: no\\u202Ewhere | else");
  }
}
