package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.os.Native;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Refused;
import io.theseus.testing.PacketSocket.Said;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes have one namespace. */
@Tag("once") // says nothing of a version of Java
final class NamesNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long DAY = Duration.ofDays(1).toMillis();

  private static Path directory;
  private static TestCluster cluster;

  @BeforeAll
  static void start(@TempDir Path made) throws Exception {
    directory = made;
    cluster = TestCluster.of(3, made);
    for (int i = 1; i <= 3; i++) {
      cluster.start(i, "backup.factor=1");
    }
    awaitAll();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  /** Until each node can be reached by each, and all are compared. */
  private static void awaitAll() {
    for (int i = 1; i <= 3; i++) {
      Node node = cluster.node(i);
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  node.names().isSettled()
                      && node.names().reachable().size() == 2
                      && node.names().reachable().stream()
                          .noneMatch(place -> place.plain().isEmpty())
                      && node.backups().size() == 2);
    }
  }

  private static Path file(int node, String name) {
    return directory.resolve("node" + node).resolve("files").resolve(name);
  }

  private static List<Integer> holders(String name) {
    return Stream.of(1, 2, 3).filter(each -> Files.exists(file(each, name))).toList();
  }

  private static int without(List<Integer> holders) {
    return Stream.of(1, 2, 3).filter(each -> !holders.contains(each)).findFirst().orElseThrow();
  }

  private static String address(int node) {
    return cluster.node(node).packetsAddress().orElseThrow();
  }

  private static Said put(int node, String name, String content, String... fields)
      throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    try (RawClient client = RawClient.connect(cluster.node(node))) {
      RawClient.Sending sending =
          client.put(
              "PUT " + name + "\nSize: " + bytes.length + "\n" + String.join("\n", fields) + "\n");
      client.write(sending, bytes, bytes.length);
      return client.complete(sending, bytes.length);
    }
  }

  /** The one packet that answers a command. */
  private static Packet ask(int node, String command) throws IOException {
    try (RawClient client = RawClient.connect(cluster.node(node))) {
      client.info(command);
      return client.next();
    }
  }

  private static String refusal(int node, String command) throws IOException {
    Packet answer = ask(node, command);
    assertThat(answer).isInstanceOf(Refused.class);
    return ((Refused) answer).text();
  }

  /** The content of a name, at whichever node MIGRATE says. */
  private static String get(int node, String name) throws IOException {
    int at = node;
    for (int i = 0; i < 3; i++) {
      try (RawClient client = RawClient.connect(cluster.node(at))) {
        client.info("GET " + name + "\n");
        Said said = (Said) client.next();
        if (said.verb().equals("READY")) {
          int size = Math.toIntExact(said.number("Size"));
          byte[] content = new byte[size];
          client.offset(0);
          client.read(content, 0, size);
          return new String(content, StandardCharsets.UTF_8);
        }
        assertThat(said.verb()).isEqualTo("MIGRATE");
        String there = said.field("Node");
        at = Stream.of(1, 2, 3).filter(n -> address(n).equals(there)).findFirst().orElseThrow();
      }
    }
    throw new AssertionError(name + " is nowhere");
  }

  // ---- looking

  @Test
  void shouldSendWhoGetsToANodeThatHasIt() throws Exception {
    put(1, "look/get", "somewhere");
    List<Integer> holders = holders("look/get");
    assertThat(holders).hasSize(2).contains(1);
    int other = without(holders);
    Said said = (Said) ask(other, "GET look/get\n");
    assertThat(said.verb()).isEqualTo("MIGRATE");
    assertThat(said.field("Node")).isIn(address(holders.get(0)), address(holders.get(1)));
    assertThat(UUID.fromString(said.field("Session"))).isNotNull();
    assertThat(get(other, "look/get")).isEqualTo("somewhere");
  }

  @Test
  void shouldSayWhereASessionCanBeResumed() throws Exception {
    put(1, "look/nodes", "x");
    Said ready = (Said) ask(1, "GET look/nodes\n");
    assertThat(ready.field("Nodes").split(", "))
        .startsWith(address(1))
        .containsExactlyInAnyOrder(address(1), address(2), address(3));
  }

  @Test
  void shouldShowTheNamesOfAll() throws Exception {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      String name = "list/" + (char) ('a' + i);
      put(1 + i % 3, name, "content " + i);
      names.add(name);
    }
    Files.createDirectories(file(2, "list"));
    Files.writeString(file(2, "list/by-hand"), "put there");
    names.add("list/by-hand");
    names.sort(null);
    for (int node = 1; node <= 3; node++) {
      Said list = (Said) ask(node, "LIST list/\n");
      assertThat(list.text()).contains("More: no").doesNotContain("Unreachable");
      assertThat(list.text().lines().filter(line -> line.contains(" list/")))
          .extracting(line -> line.substring(line.lastIndexOf(' ') + 1))
          .containsExactlyElementsOf(names);
      assertThat(((Said) ask(node, "STAT list/by-hand\n")).number("Size")).isEqualTo(9);
      assertThat(get(node, "list/by-hand")).isEqualTo("put there");
    }
  }

  @Test
  void shouldSayThatNoNodeHasIt() throws Exception {
    for (String verb : List.of("GET", "STAT", "DELETE")) {
      assertThat(refusal(2, verb + " no/such\n"))
          .startsWith("not-found: \"no/such\": no node has it");
    }
  }

  // ---- changing

  @Test
  void shouldLeaveNothingOldAnywhere() throws Exception {
    for (int round = 0; round < 10; round++) {
      String content = "version " + round;
      put(1 + round % 3, "change/name", content);
      for (int holder : holders("change/name")) {
        assertThat(file(holder, "change/name")).hasContent(content);
      }
      assertThat(holders("change/name")).hasSize(2);
      for (int node = 1; node <= 3; node++) {
        assertThat(get(node, "change/name")).isEqualTo(content);
      }
    }
  }

  @Test
  void shouldDeleteEverywhere() throws Exception {
    Said complete = put(1, "delete/name", "here and there");
    int other = without(holders("delete/name"));
    Said deleted = (Said) ask(other, "DELETE delete/name\n");
    assertThat(deleted.verb()).isEqualTo("DELETED");
    assertThat(deleted.field("Identity")).isEqualTo(complete.field("Identity"));
    assertThat(holders("delete/name")).isEmpty();
    for (int node = 1; node <= 3; node++) {
      assertThat(refusal(node, "GET delete/name\n")).startsWith("not-found: ");
      assertThat(refusal(node, "DELETE delete/name\n")).startsWith("not-found: ");
    }
    put(other, "delete/name", "again");
    assertThat(get(1, "delete/name")).isEqualTo("again");
  }

  @Test
  void shouldHoldConditionsAgainstAllNodes() throws Exception {
    String identity = put(1, "if/name", "first").field("Identity");
    int other = without(holders("if/name"));
    assertThat(refusal(other, "PUT if/name\nSize: 1\nIf-Identity: none\n"))
        .isEqualTo("exists: \"if/name\" has identity " + identity + " (expected: none)");
    assertThat(refusal(other, "PUT if/name\nSize: 1\nIf-Identity: x\n"))
        .isEqualTo("changed: \"if/name\" has identity " + identity + " (expected: x)");
    assertThat(refusal(other, "DELETE if/name\nIf-Identity: x\n")).startsWith("changed: ");
    String next = put(other, "if/name", "second", "If-Identity: " + identity).field("Identity");
    assertThat(get(1, "if/name")).isEqualTo("second");
    assertThat(((Said) ask(1, "DELETE if/name\nIf-Identity: " + next + "\n")).verb())
        .isEqualTo("DELETED");
    put(1, "if/name", "third", "If-Identity: none");
  }

  /** Of those that want to be the first, each at another node, one is. */
  @Test
  void shouldLetOneOfThoseDecideWhoHaveACondition() throws Exception {
    for (int round = 0; round < 10; round++) {
      String name = "race/" + round;
      List<CompletableFuture<Optional<String>>> all = new ArrayList<>();
      for (int node = 1; node <= 3; node++) {
        int at = node;
        all.add(CompletableFuture.supplyAsync(() -> first(at, name)));
      }
      List<String> first = all.stream().flatMap(each -> each.join().stream()).toList();
      assertThat(first).hasSize(1);
      for (int node = 1; node <= 3; node++) {
        assertThat(get(node, name)).isEqualTo(first.get(0));
      }
    }
  }

  /** What it has put; empty where it was not the first. */
  private static Optional<String> first(int node, String name) {
    String content = "by node " + node;
    try {
      put(node, name, content, "If-Identity: none");
      return Optional.of(content);
    } catch (AssertionError e) {
      assertThat(e).hasMessageContaining("Refused").hasMessageContaining("exists: ");
      return Optional.empty();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shouldNotMakeAFolderOfAnotherNodesFile() throws Exception {
    put(1, "folder/file", "x");
    int other = without(holders("folder/file"));
    assertThat(refusal(other, "PUT folder/file/below\nSize: 1\n"))
        .startsWith("exists: \"folder/file/below\": goes through what is no folder")
        .contains("on node ");
  }

  // ---- sessions

  @Test
  void shouldSendWhoResumesAPutToTheNodeThatHasIt() throws Exception {
    UUID session = UUID.randomUUID();
    byte[] content = new byte[100_000];
    String command = "PUT resume/put\nSize: 100000\nSession: " + session + "\n";
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put(command);
      client.data(0, content, 0, 50_000);
      assertThat(client.expectOffset().offset()).isEqualTo(50_000);
      assertThat(sending.acked()).isZero();
    }
    for (int node = 2; node <= 3; node++) {
      Said said = (Said) ask(node, command + "Offset: 50000\n");
      assertThat(said.text())
          .isEqualTo("MIGRATE\nNode: " + address(1) + "\nSession: " + session + "\n");
      assertThat(((Said) ask(node, command)).verb()).isEqualTo("MIGRATE");
    }
    try (RawClient client = RawClient.connect(cluster.node(1))) {
      RawClient.Sending sending = client.put(command + "Offset: 50000\n");
      client.write(sending, content, 100_000);
      client.complete(sending, 100_000);
    }
    int other = without(holders("resume/put"));
    assertThat(((Said) ask(other, command + "Offset: 100000\n")).verb()).isEqualTo("MIGRATE");
    assertThat(refusal(2, "PUT resume/other\nSession: " + UUID.randomUUID() + "\nOffset: 7\n"))
        .startsWith("unknown-session: ");
  }

  @Test
  void shouldEndTheOlderConnectionOfAGet() throws Exception {
    put(1, "resume/get", "0123456789");
    List<Integer> holders = holders("resume/get");
    UUID session = UUID.randomUUID();
    try (RawClient older = RawClient.connect(cluster.node(holders.get(0)))) {
      older.info("GET resume/get\nSession: " + session + "\nWindow: 4\n");
      older.expect("READY");
      try (RawClient newer = RawClient.connect(cluster.node(holders.get(1)))) {
        newer.info("GET resume/get\nSession: " + session + "\nOffset: 4\nWindow: 4\n");
        newer.expect("READY");
        assertThat(older.error())
            .startsWith("superseded: session " + session + " has a newer connection");
        assertThat(newer.expectData().offset()).isEqualTo(4);
      }
    }
  }

  @Test
  void shouldNotKnowWhereANodeIsMissing(@TempDir Path own) throws Exception {
    // ids of three, of which one never comes
    try (TestCluster two = TestCluster.of(3, own)) {
      two.start(1);
      two.start(2);
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  two.node(1).names().isSettled()
                      && two.node(1).names().reachable().size() == 1
                      && two.node(2).names().reachable().size() == 1);
      try (RawClient client = RawClient.connect(two.node(1))) {
        RawClient.Sending sending = client.put("PUT there\nSize: 1\n");
        client.write(sending, new byte[1], 1);
        client.complete(sending, 1);
        client.info("LIST \n");
        assertThat(client.expect("LIST").text()).contains("Unreachable: node3\n");
        client.info("GET missing\n");
        assertThat(client.error())
            .isEqualTo(
                "busy: \"missing\" is not here, and may be on node node3 (expected: all nodes can"
                    + " be reached; try again)");
      }
      try (RawClient client = RawClient.connect(two.node(2))) {
        client.info("PUT there\nSize: 1\nIf-Identity: none\n");
        assertThat(client.error())
            .startsWith("busy: what \"there\" is can't be known while node node3 can't be reached");
      }
      try (RawClient client = RawClient.connect(two.node(2))) {
        client.info("DELETE there\n");
        client.expect("DELETED");
      }
    }
  }

  /** Deletions are remembered for 30 days. */
  @Test
  void shouldSetAsideWhatMayHaveBeenDeletedLongAgo(@TempDir Path own) throws Exception {
    try (TestCluster two = TestCluster.of(2, own)) {
      two.start(1);
      two.start(2);
      await().atMost(PATIENCE).until(() -> two.node(2).names().reachable().size() == 1);
      await().atMost(PATIENCE).until(() -> two.node(2).backups().size() == 1);
      putAt(two.node(2), "deleted", "long ago");
      putAt(two.node(2), "stays", "on both");
      two.stop(2);
      absent(own);
      await().atMost(PATIENCE).until(() -> two.node(1).names().reachable().isEmpty());
      try (RawClient client = RawClient.connect(two.node(1))) {
        client.info("DELETE deleted\n");
        client.expect("DELETED");
      }
      assertThat(two.node(1).store().forgetDeleted(Duration.ZERO)).isOne();
      two.stop(1);
      Path files = own.resolve("node2").resolve("files");
      age(files.resolve("deleted"));
      age(files.resolve("stays"));
      age(own.resolve("node1").resolve("files").resolve("stays"));

      two.start(2);
      try (RawClient client = RawClient.connect(two.node(2))) {
        client.info("GET deleted\n");
        assertThat(client.error())
            .startsWith("busy: \"deleted\" may have been deleted while this node was away, since ")
            .endsWith(", and may be on node node1 (expected: all nodes can be reached; try again)");
      }
      assertThat(files.resolve("deleted")).exists();
      two.start(1);
      await().atMost(PATIENCE).until(() -> two.node(2).names().isSettled());

      assertThat(files.resolve("deleted")).doesNotExist();
      assertThat(files.resolve("stays")).hasContent("on both");
      try (Stream<Path> aside = Files.list(files.resolve(".theseus-staging/aside"))) {
        assertThat(aside).singleElement().satisfies(it -> assertThat(it).hasContent("long ago"));
      }
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(two.node(2).status().parts())
                      .anySatisfy(
                          part -> {
                            assertThat(part.name()).isEqualTo("files");
                            assertThat(part.state()).isEqualTo("set aside");
                            assertThat(part.reason())
                                .startsWith("1 were set aside, as other nodes have");
                          }));
    }
  }

  /** As if it had been committed 50 days ago. */
  private static void age(Path file) {
    String attribute = Native.attribute(file).orElseThrow();
    String version = attribute.split(" ", -1)[6];
    long millis = Instant.now().minus(Duration.ofDays(50)).toEpochMilli();
    Native.setAttribute(
        file, attribute.replace(version, String.format("%016x@node1", (millis / DAY * DAY) << 16)));
  }

  /** Nobody was there: nobody can have deleted anything. */
  @Test
  void shouldKeepWhatItAloneHasWhereAllWereOff(@TempDir Path own) throws Exception {
    try (TestCluster two = TestCluster.of(2, own)) {
      two.start(2);
      putAt(two.node(2), "alone", "under-replicated");
      two.stop(2);
      absent(own);
      Path file = own.resolve("node2").resolve("files").resolve("alone");
      age(file);
      two.start(2);
      two.start(1);
      await().atMost(PATIENCE).until(() -> two.node(2).names().isSettled());
      assertThat(file).hasContent("under-replicated");
      try (RawClient client = RawClient.connect(two.node(2))) {
        client.info("GET alone\n");
        client.expect("READY");
      }
    }
  }

  /** Node 2 met no other one for 40 days. */
  private static void absent(Path own) throws IOException {
    Path met = own.resolve("node2").resolve("names").resolve("met");
    Files.createDirectories(met.getParent());
    Files.writeString(met, Instant.now().minus(Duration.ofDays(40)) + "\n");
  }

  @Test
  void shouldForgetWhatChangedWhileItWasAway(@TempDir Path own) throws Exception {
    try (TestCluster two = TestCluster.of(2, own)) {
      two.start(1);
      two.start(2);
      await().atMost(PATIENCE).until(() -> two.node(2).names().reachable().size() == 1);
      for (String name : List.of("replaced", "deleted", "stays")) {
        putAt(two.node(2), name, "old");
      }
      two.stop(2);
      await().atMost(PATIENCE).until(() -> two.node(1).names().reachable().isEmpty());
      putAt(two.node(1), "replaced", "new");
      putAt(two.node(1), "deleted", "new");
      Path files = own.resolve("node2").resolve("files");
      Files.writeString(files.resolve("by-hand"), "put there");
      putAt(two.node(1), "by-hand", "newer");
      try (RawClient client = RawClient.connect(two.node(1))) {
        client.info("DELETE deleted\n");
        client.expect("DELETED");
      }
      two.start(2);
      await().atMost(PATIENCE).until(() -> two.node(2).names().reachable().size() == 1);
      try (RawClient client = RawClient.connect(two.node(2))) {
        client.info("GET by-hand\n"); // whether it is compared by now, or asked about
        client.expect("MIGRATE");
      }
      try (Stream<Path> aside = Files.list(files.resolve(".theseus-staging/aside"))) {
        assertThat(aside).singleElement().satisfies(it -> assertThat(it).hasContent("put there"));
      }
      try (RawClient client = RawClient.connect(two.node(2))) {
        client.info("GET replaced\n");
        assertThat(client.expect("MIGRATE").field("Node"))
            .isEqualTo(two.node(1).packetsAddress().orElseThrow());
      }
      try (RawClient client = RawClient.connect(two.node(2))) {
        client.info("LIST \n");
        assertThat(client.expect("LIST").text())
            .contains(" replaced")
            .contains(" stays")
            .doesNotContain(" deleted");
        client.info("GET deleted\n");
        assertThat(client.error()).startsWith("not-found: ");
      }
      await().atMost(PATIENCE).until(() -> two.node(2).names().isSettled());
      assertThat(files.resolve("replaced")).doesNotExist();
      assertThat(files.resolve("deleted")).doesNotExist();
      assertThat(files.resolve("stays")).hasContent("old");
    }
  }

  private static void putAt(Node node, String name, String content) throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    try (RawClient client = RawClient.connect(node)) {
      RawClient.Sending sending = client.put("PUT " + name + "\nSize: " + bytes.length + "\n");
      client.write(sending, bytes, bytes.length);
      client.complete(sending, bytes.length);
    }
  }
}
