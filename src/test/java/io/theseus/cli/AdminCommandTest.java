package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.admin.NodeStatus;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.BackupList;
import io.theseus.admin.Operations.BackupView;
import io.theseus.admin.Operations.Phase;
import io.theseus.admin.Operations.RevisionView;
import io.theseus.admin.Operations.RottenFile;
import io.theseus.admin.Operations.SessionList;
import io.theseus.admin.Operations.SessionView;
import io.theseus.admin.Operations.Verification;
import io.theseus.admin.jmx.JmxDoor;
import io.theseus.admin.jmx.RunFile;
import io.theseus.module.ComponentReference;
import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleKey;
import io.theseus.module.ModuleVersion;
import io.theseus.module.RevisionDescription;
import io.theseus.testing.ScriptedOperations;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code theseus admin}, over JMX, to operations that answer by a script. */
final class AdminCommandTest {
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abc");
  private static final UUID OTHER = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abd");
  private static final String WHAT = "upgrade to limiter@2.0 (3f2a9c110b2c)";
  private static final String CHANNEL =
      """
      import io.theseus.channel.DataChannel;
      import io.theseus.channel.Progress;
      import io.theseus.channel.Range;

      public final class MyChannel implements DataChannel {
        @Override
        public Range next(Progress progress) {
          return new Range(progress.position(), (int) Math.min(RIGHT, progress.end()));
        }
      }
      """;

  private final ScriptedOperations scripted = new ScriptedOperations();
  private Path directory;
  private JmxDoor door;
  private Shell shell;
  private String config;

  @BeforeEach
  void open(@TempDir Path temporary) throws Exception {
    directory = temporary;
    shell = new Shell("127.0.0.1:1", temporary);
    door = JmxDoor.open("scripted", AdminCommandTest::status, scripted);
    Files.createDirectories(directory.resolve("data/run"));
    run("");
    config =
        Files.writeString(
                directory.resolve("node.conf"),
                "theseus.data-dir = \"" + directory.resolve("data") + "\"")
            .toString();
  }

  @AfterEach
  void close() {
    door.close();
  }

  private static NodeStatus status() {
    return new NodeStatus(
        "scripted",
        "1",
        1,
        ScriptedOperations.AT,
        1,
        Map.of(),
        List.of(),
        "data",
        "files",
        1,
        NodeStatus.Quota.NONE,
        Map.of(),
        Map.of(),
        Map.of(),
        Map.of(),
        new NodeStatus.Cluster("", "", "", List.of()),
        NodeStatus.Code.NONE,
        NodeStatus.Backups.NONE,
        NodeStatus.Files.NONE,
        Map.of(),
        List.of());
  }

  private Shell.Ran admin(String... arguments) {
    return shell.runExactly(
        Stream.of(Stream.of("admin"), Stream.of(arguments), Stream.of("--config", config))
            .flatMap(each -> each)
            .toArray(String[]::new));
  }

  private static JsonNode json(Shell.Ran ran) throws Exception {
    assertThat(ran.lines()).hasSize(1);
    return new ObjectMapper().readTree(ran.out());
  }

  private static ActView act(Phase phase, String reason, String... nodes) {
    Map<String, String> states = new java.util.TreeMap<>();
    for (int i = 0; i < nodes.length; i += 2) {
      states.put(nodes[i], nodes[i + 1]);
    }
    return ScriptedOperations.act(WHAT, phase, reason, states);
  }

  private void script(ActView... news) {
    scripted.news.addAll(Arrays.asList(news));
  }

  private String jar() throws Exception {
    ModuleKey key = ModuleKey.make();
    Path source = source("8");
    ModuleArchive module =
        ModuleFiles.compile(source, new ModuleVersion("1.0"), System.err)
            .sign(key, Optional.empty());
    return Files.write(directory.resolve("my-channel.jar"), module.bytes()).toString();
  }

  private Path source(String expression) throws Exception {
    return Files.writeString(
        directory.resolve("MyChannel.java"), CHANNEL.replace("RIGHT", expression));
  }

  private void run(String labKey) throws IOException {
    new RunFile(
            "scripted",
            ProcessHandle.current().pid(),
            "1",
            directory.resolve("data").toString(),
            door.url(),
            door.secret(),
            door.objectName(),
            "",
            Instant.now().toString(),
            labKey)
        .write(RunFile.in(directory.resolve("data")));
  }

  private void labKey() throws Exception {
    run(secret(directory.resolve("lab.key"), ModuleKey.make()));
  }

  private static String secret(Path file, ModuleKey key) throws Exception {
    Files.writeString(file, key.secretPem());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    return file.toString();
  }

  private static RevisionView revision(String state, RevisionDescription description) {
    return new RevisionView(
        description.id(),
        description.channel().map(ComponentReference::toString).orElse("standard"),
        state,
        description.toJson(),
        state.equals("serving") ? List.of() : List.of("channel: a@1 -> b\u001b[2J@1"));
  }

  private static RevisionDescription running(String module, String version) {
    return new RevisionDescription(
        Optional.of(
            new ComponentReference(module, new ModuleVersion(version), module, "ab".repeat(32))),
        List.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  // ---- acts

  @Test
  void shouldTellEachChangeUntilTheEnd() throws Exception {
    script(
        act(Phase.STAGING, "", "node1", "working", "node2", "working"),
        act(Phase.STAGING, "", "node1", "staged", "node2", "working"),
        act(Phase.SWITCHING, "", "node1", "switched", "node2", "staged"),
        act(Phase.CONFIRMED, ""));
    String jar = jar();
    Shell.Ran ran =
        admin(
            "upgrade",
            jar,
            "--canary",
            "5%",
            "--without",
            "node3",
            "--watch",
            "5m",
            "--who",
            "eve");

    assertThat(ran.err().lines())
        .containsExactly(
            WHAT + ": staging",
            "node1: working",
            "node2: working",
            "node1: staged",
            WHAT + ": switching",
            "node1: switched",
            "node2: staged");
    assertThat(ran.lines()).containsExactly(WHAT + ": confirmed");
    assertThat(ran.exit()).isZero();
    assertThat(scripted.asked())
        .startsWith("upgrade canary 5% by eve without [node3] watch PT5M", "act act-1");
    assertThat(scripted.jar).isEqualTo(Files.readAllBytes(Path.of(jar)));
  }

  @Test
  void shouldDrawOnATerminal() {
    script(
        act(Phase.STAGING, "", "node1", "working", "node2", "working"),
        act(Phase.SWITCHING, "", "node1", "switched", "node2", "staged"),
        act(Phase.CONFIRMED, ""));
    shell.terminal = true;
    Shell.Ran ran = admin("pause");

    assertThat(ran.err())
        .contains(WHAT + ": staging\n")
        .contains("  node1  working\n")
        .contains("\u001b[A")
        .contains("  node1  switched\n")
        .endsWith("\u001b[J");
    assertThat(ran.lines()).containsExactly(WHAT + ": confirmed");
  }

  @ParameterizedTest
  @CsvSource({
    "REFUSED, 18, refused, 'refused, and nothing is changed'",
    "ROLLED_BACK, 19, rolled-back, 'rolled back, and all is as before'"
  })
  void shouldEndAsTheActDoes(Phase phase, int exit, String label, String words) throws Exception {
    script(act(phase, "node2: no \u001b[2J space"));
    Shell.Ran ran = admin("undo");
    assertThat(ran.exit()).isEqualTo(exit);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err())
        .isEqualTo("theseus admin undo: " + WHAT + ": " + words + ": node2: no \\u001B[2J space\n");

    ran = admin("undo", "--json");
    assertThat(ran.exit()).isEqualTo(exit);
    JsonNode json = json(ran);
    assertThat(json.at("/command").asText()).isEqualTo("undo");
    assertThat(json.at("/phase").asText()).isEqualTo(label);
    assertThat(json.at("/reason").asText()).isEqualTo("node2: no \u001b[2J space");
    assertThat(json.at("/exitCode").asInt()).isEqualTo(exit);
    assertThat(json.at("/failure").asText()).isEqualTo(label);
  }

  @Test
  void shouldDescribeAnActInJson() throws Exception {
    script(act(Phase.STAGING, "", "n", "working"), act(Phase.CONFIRMED, ""));
    Shell.Ran ran = admin("rollback", "3f2a", "--json");
    assertThat(ran.err()).isEmpty();
    assertThat(ran.out())
        .isEqualTo(
            "{\"command\":\"rollback\",\"id\":\"act-1\",\"what\":\""
                + WHAT
                + "\",\"who\":\"ada@host\",\"at\":\"2026-11-26T15:33:24Z\",\"phase\":\"confirmed\","
                + "\"reason\":\"\",\"nodes\":{}}\n");
    assertThat(scripted.asked().get(0)).matches("rollback to 3f2a by .+@.+");
  }

  @Test
  void shouldNotWaitWhereItIsToldSo() throws Exception {
    script(act(Phase.STAGING, "", "n", "working"));
    Shell.Ran ran = admin("resume", "--detach");
    assertThat(ran.exit()).isZero();
    assertThat(ran.lines()).containsExactly(WHAT + ": begun, as act act-1");
    assertThat(json(admin("resume", "--detach", "--json")).at("/phase").asText())
        .isEqualTo("staging");
    assertThat(scripted.asked()).hasSize(2);

    assertThat(admin("resume", "--detach", "--wait").exit()).isEqualTo(2);
  }

  @Test
  void shouldSayThatAnActGoesOnAfterCtrlC() {
    script(act(Phase.STAGING, "", "n", "working"));
    Shell.Ran ran = run(new Ticks(0), "promote");
    assertThat(ran.exit()).isEqualTo(ExitCode.INTERRUPTED.number());
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err().lines())
        .last()
        .isEqualTo(
            "The act goes on: `theseus admin history` tells how it ends, `theseus admin undo` takes"
                + " it back.");
  }

  @Test
  void shouldOutlastANodeThatIsSilentForAWhile() {
    script(act(Phase.STAGING, "", "n", "working"));
    OperationException silence = new OperationException("no answer", /* unreachable= */ true);
    Ticks ticks = new Ticks(1000);
    ticks.at(1, () -> scripted.fail(silence));
    ticks.at(
        4,
        () -> {
          scripted.fail((OperationException) null);
          scripted.news.add(act(Phase.CONFIRMED, ""));
        });
    Shell.Ran ran = run(ticks, "promote");
    assertThat(ran.exit()).isZero();
    assertThat(ran.err().lines()).containsOnlyOnce("no answer; asking again");

    scripted.news.clear();
    script(act(Phase.STAGING, "", "n", "working"));
    Ticks others = new Ticks(1000);
    others.at(1, () -> scripted.fail(silence));
    ran = run(others, "promote");
    assertThat(ran.exit()).isEqualTo(ExitCode.UNREACHABLE.number());
    assertThat(ran.err())
        .endsWith(
            "theseus admin promote: no answer; the act may go on: `theseus admin history` tells\n");
  }

  @Test
  void shouldFailInWords() throws Exception {
    scripted.fail(new OperationException("another act is under way"));
    Shell.Ran ran = admin("pause");
    assertThat(ran.exit()).isEqualTo(18);
    assertThat(ran.err()).isEqualTo("theseus admin pause: another act is under way\n");
    JsonNode json = json(admin("pause", "--json"));
    assertThat(json.at("/command").asText()).isEqualTo("pause");
    assertThat(json.at("/failure").asText()).isEqualTo("refused");
    assertThat(json.at("/message").asText()).isEqualTo("another act is under way");

    scripted.fail(new OperationException("no majority", /* unreachable= */ true));
    assertThat(admin("history").exit()).isEqualTo(6);
    door.close();
    ran = admin("history");
    assertThat(ran.exit()).isEqualTo(6);
    assertThat(ran.err()).startsWith("theseus admin history: node scripted (process ");
    config = directory.resolve("none.conf").toString();
    assertThat(admin("history").exit()).isEqualTo(6);
  }

  // ---- upgrade

  @Test
  void shouldCompileASourceAsTheNextVersionAndSignItWithTheLabKey() throws Exception {
    labKey();
    script(act(Phase.CONFIRMED, ""));
    String source = source("8").toString();
    Shell.Ran ran = admin("upgrade", source);
    assertThat(ran.exit()).as(ran.err()).isZero();
    ModuleArchive sent = ModuleArchive.read(scripted.jar);
    assertThat(sent.descriptor().module()).isEqualTo("my-channel@1.0.0");
    assertThat(ran.err()).startsWith("my-channel@1.0.0, signed by key " + sent.signer().get());

    scripted.revisions =
        List.of(
            revision("serving", running("my-channel", "1.9")),
            revision("former", running("my-channel", "1.10.7")),
            revision("former", running("other", "7.0")),
            revision("former", RevisionDescription.standard()));
    assertThat(admin("upgrade", source, "--json").err()).isEmpty();
    assertThat(ModuleArchive.read(scripted.jar).descriptor().module())
        .isEqualTo("my-channel@1.10.8");

    ModuleKey key = ModuleKey.make();
    String file = secret(directory.resolve("own.key"), key);
    assertThat(admin("upgrade", source, "--key", file).exit()).isZero();
    assertThat(ModuleArchive.read(scripted.jar).signer()).contains(key.id());
  }

  @Test
  void shouldShowWhatTheCompilerSays() throws Exception {
    labKey();
    Path source = source("nonsense");
    Shell.Ran ran = admin("upgrade", source.toString());
    assertThat(ran.exit()).isEqualTo(17);
    assertThat(ran.err())
        .startsWith(
            "theseus admin upgrade: does not compile:\n" + source + ":8: error: cannot find")
        .contains("(int) Math.min(nonsense, progress.end())")
        .contains("  symbol:   variable nonsense");
    assertThat(scripted.asked()).containsExactly("revisions");
  }

  @Test
  void shouldWantAKeyForASource() throws Exception {
    Shell.Ran ran = admin("upgrade", source("8").toString());
    assertThat(ran.exit()).isEqualTo(2);
    assertThat(ran.err())
        .isEqualTo(
            "theseus admin upgrade: --key: missing (expected: the private key of one that the nodes"
                + " accept; this node has no lab key)\n");
    assertThat(scripted.asked()).isEmpty();
  }

  @Test
  void shouldShowWhatItWouldDo() throws Exception {
    RevisionView revision = revision("former", running("my-channel", "1.0"));
    scripted.revisions = List.of(revision);
    String jar = jar();
    Shell.Ran ran = admin("upgrade", jar, "--dry-run");
    assertThat(ran.exit()).isZero();
    assertThat(ran.lines())
        .containsExactly(
            "would bring my-channel@1.0 (" + revision.id().substring(0, 12) + "):",
            "  channel: a@1 -> b\\u001B[2J@1");
    assertThat(scripted.asked()).hasSize(1).allMatch(each -> each.startsWith("preview"));

    scripted.missing = Set.of("node3");
    ran = admin("upgrade", jar, "--dry-run");
    assertThat(ran.exit()).isEqualTo(18);
    assertThat(ran.err())
        .isEqualTo(
            "theseus admin upgrade: missing: node3 (expected: all nodes, or --without those that may"
                + " be missing)\n");
    JsonNode json = json(admin("upgrade", jar, "--dry-run", "--json", "--without", "node3"));
    assertThat(json.at("/missing/0").asText()).isEqualTo("node3");
    assertThat(json.at("/revision/id").asText()).isEqualTo(revision.id());
    assertThat(json.has("failure")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"--canary 100%", "--canary 0%", "--canary me", "--mode slow", "--watch soon"})
  void shouldRefuseOptionsThatMeanNothing(String option) throws Exception {
    String[] both = option.split(" ", -1);
    Shell.Ran ran = admin("upgrade", jar(), both[0], both[1]);
    assertThat(ran.exit()).isEqualTo(2);
    assertThat(ran.err()).contains(both[0]).contains("\"" + both[1] + "\" (expected: ");
    assertThat(scripted.asked()).isEmpty();
  }

  // ---- what there is

  @Test
  void shouldShowTheHistory() throws Exception {
    assertThat(admin("history").lines()).containsExactly("no act yet");
    scripted.history =
        List.of(
            act(Phase.STAGING, "", "node1", "staged", "node2", "working"),
            act(Phase.REFUSED, "because"));
    assertThat(admin("history").lines())
        .containsExactly(
            "2026-11-26T15:33:24Z  staging      " + WHAT + ", by ada@host, act act-1",
            "  node1 staged, node2 working",
            "2026-11-26T15:33:24Z  refused      " + WHAT + ", by ada@host, act act-1",
            "  because");
    JsonNode json = json(admin("history", "--json"));
    assertThat(json.at("/acts/0/nodes/node2").asText()).isEqualTo("working");
    assertThat(json.at("/acts/1/phase").asText()).isEqualTo("refused");
  }

  @Test
  void shouldShowRevisionsWithWhatTheyWouldChange() throws Exception {
    RevisionView serving = revision("serving", running("limiter", "2.0"));
    RevisionView former = revision("former", RevisionDescription.standard());
    scripted.revisions = List.of(serving, former);
    assertThat(admin("revisions").lines())
        .containsExactly(
            "serving   limiter@2.0 (" + serving.id().substring(0, 12) + ")",
            "former    standard (" + former.id().substring(0, 12) + ")",
            "  channel: a@1 -> b\\u001B[2J@1");
    JsonNode json = json(admin("revisions", "--json"));
    assertThat(json.at("/revisions/0/id").asText()).isEqualTo(serving.id());
    assertThat(json.at("/revisions/1/changes/0").asText()).startsWith("channel: a@1");
  }

  @Test
  void shouldShowTheStatusToo() {
    assertThat(admin("status").out()).startsWith("node scripted: all is normal\n");
  }

  private static SessionView session(UUID id, String state, long offset) {
    return new SessionView(
        "node1",
        id,
        id.equals(SESSION) ? "get" : "put",
        id.equals(SESSION) ? "big\u001b.iso" : "a b",
        offset,
        id.equals(SESSION) ? 3 << 20 : -1,
        state,
        "standard@1.0.0",
        state.equals("detached") ? "" : "127.0.0.1:5");
  }

  private void sessions(SessionView... all) {
    scripted.sessions.add(new SessionList(List.of(all), Map.of()));
  }

  @Test
  void shouldShowSessions() throws Exception {
    scripted.sessions.add(
        new SessionList(
            List.of(session(SESSION, "live", 1 << 20), session(OTHER, "detached", 7)),
            Map.of("node3", "no answer")));
    Shell.Ran ran = admin("sessions");
    assertThat(ran.exit()).isEqualTo(10);
    assertThat(ran.out())
        .isEqualTo(
            """
            SESSION                               NODE   WHAT  STATE     OFFSET              MODULE          CLIENT       NAME
            6b7e0f3a-1111-4222-8333-123456789abd  node1  put   detached  7 B                 standard@1.0.0  -            a b
            6b7e0f3a-1111-4222-8333-123456789abc  node1  get   live      1.0 MiB of 3.0 MiB  standard@1.0.0  127.0.0.1:5  big\\u001B.iso
            """);
    assertThat(ran.err()).isEqualTo("theseus admin sessions: node3 did not answer: no answer\n");
    JsonNode json = json(admin("sessions", "--json"));
    assertThat(json.at("/sessions/0/session").asText()).isEqualTo(SESSION.toString());
    assertThat(json.at("/sessions/1/size").asLong()).isEqualTo(-1);
    assertThat(json.at("/silent/node3").asText()).isEqualTo("no answer");
  }

  @Test
  void shouldFollowSessionsInLines() {
    sessions(session(SESSION, "live", 1));
    sessions(session(SESSION, "live", 2), session(OTHER, "live", 1));
    sessions(session(SESSION, "held", 2), session(OTHER, "live", 2));
    sessions(session(SESSION, "held", 2));
    Shell.Ran ran = run(new Ticks(3), "sessions", "--follow");
    assertThat(ran.exit()).isEqualTo(130);
    assertThat(ran.lines())
        .containsExactly(
            SESSION
                + "  node1  get  live  1 B of 3.0 MiB  standard@1.0.0  127.0.0.1:5  big\\u001B.iso",
            OTHER + "  node1  put  live  1 B  standard@1.0.0  127.0.0.1:5  a b",
            SESSION
                + "  node1  get  held  2 B of 3.0 MiB  standard@1.0.0  127.0.0.1:5  big\\u001B.iso",
            OTHER + "  node1  gone");
  }

  @Test
  void shouldFollowSessionsInATable() {
    SessionView[] many =
        Stream.generate(() -> session(OTHER, "live", 1)).limit(40).toArray(SessionView[]::new);
    sessions(session(SESSION, "live", 1));
    sessions(many);
    shell.terminal = true;
    shell.outIsTerminal = true;
    shell.environment.put("LINES", "8");
    Shell.Ran ran = run(new Ticks(1), "sessions", "-f");
    assertThat(ran.out())
        .startsWith("\r\u001b[2KSESSION  ")
        .contains("\u001b[A\u001b[J")
        .contains("\n\r\u001b[2K... and 35 more")
        .endsWith("\u001b[J");
    assertThat(ran.out().split("\n", -1)).hasSizeLessThan(2 + 8 + 1);
  }

  @Test
  void shouldFollowSessionsAsJson() throws Exception {
    sessions(session(SESSION, "live", 1));
    sessions();
    Shell.Ran ran = run(new Ticks(1), "sessions", "--follow", "--json");
    assertThat(ran.lines()).hasSize(2);
    assertThat(new ObjectMapper().readTree(ran.lines().get(1)).at("/sessions")).isEmpty();
  }

  @Test
  void shouldKill() throws Exception {
    Shell.Ran ran = admin("kill", SESSION.toString(), "--who", "eve");
    assertThat(ran.exit()).isZero();
    assertThat(ran.lines()).containsExactly(SESSION + ": its connection to node2 is ended");
    assertThat(scripted.asked()).containsExactly("kill " + SESSION + " by eve");
    assertThat(json(admin("kill", SESSION.toString(), "--json")).at("/node").asText())
        .isEqualTo("node2");
    assertThat(admin("kill", "it").exit()).isEqualTo(2);
  }

  @Test
  void shouldStopAcceptingAndAccept() throws Exception {
    scripted.accepted = Map.of("node1", Operations.DONE);
    Shell.Ran ran = admin("stop-accepting", "--node", "node1", "--who", "eve");
    assertThat(ran.exit()).isZero();
    assertThat(ran.lines()).containsExactly("node1: takes no new sessions");
    ran = admin("accept", "--who", "eve");
    assertThat(ran.lines()).containsExactly("node1: takes new sessions");
    assertThat(scripted.asked())
        .containsExactly("stop accepting [node1] by eve", "accept [] by eve");

    scripted.accepted = Map.of("node1", Operations.DONE, "node2", "no answer");
    ran = admin("accept");
    assertThat(ran.exit()).isEqualTo(10);
    assertThat(ran.err()).isEqualTo("theseus admin accept: node2: no answer\n");
    assertThat(json(admin("accept", "--json")).at("/nodes/node2").asText()).isEqualTo("no answer");
  }

  @Test
  void shouldShowBackups() throws Exception {
    scripted.backups =
        new BackupList(
            "node1",
            /* open= */ false,
            List.of(
                new BackupView("node1", "", 1L << 30, 0, 0, false, -1, true),
                new BackupView("node2", "cellar", 5L << 30, 12, 1 << 20, true, 5, true),
                new BackupView("node3", "roof", 7, 0, 0, false, -1, false),
                new BackupView("node4", "", 7, 0, 0, true, -1, true),
                new BackupView("node5", "", 7, 0, 0, true, 0, true)));
    Shell.Ran ran = admin("backups");
    assertThat(ran.exit()).isZero();
    assertThat(ran.out())
        .isEqualTo(
            """
            NODE   RACK    FREE     UPLOADS  BEHIND   STATE
            node1  -       1.0 GiB  0        0 B      in use
            node2  cellar  5.0 GiB  12       1.0 MiB  draining, 5 files left
            node3  roof    7 B      0        0 B      not registered
            node4  -       7 B      0        0 B      draining
            node5  -       7 B      0        0 B      drained
            No others may register with node1 any more.
            """);
    JsonNode json = json(admin("backups", "--json"));
    assertThat(json.at("/command").asText()).isEqualTo("backups");
    assertThat(json.at("/open").asBoolean(true)).isFalse();
    assertThat(json.at("/backups/1/rack").asText()).isEqualTo("cellar");
    assertThat(json.at("/backups/1/draining").asBoolean()).isTrue();
  }

  private static Verification reading(
      String node, boolean running, long read, RottenFile... findings) {
    long repaired = Stream.of(findings).filter(each -> each.reason().isEmpty()).count();
    return new Verification(
        node,
        running,
        read,
        read << 20,
        8,
        8 << 20,
        /* adopted= */ 0,
        findings.length,
        repaired,
        List.of(findings),
        /* failure= */ "");
  }

  private static Verification silent(String node) {
    return new Verification(node, false, 0, 0, 0, 0, 0, 0, 0, List.of(), "can't be reached");
  }

  @Test
  void shouldVerifyAllFiles() throws Exception {
    scripted.verifications.add(List.of(reading("node1", true, 0), reading("node2", true, 0)));
    scripted.verifications.add(List.of(reading("node1", true, 3), reading("node2", false, 8)));
    scripted.verifications.add(
        List.of(
            reading("node1", false, 8, new RottenFile("a\nb", "node2", "")),
            reading("node2", false, 8)));
    Shell.Ran ran = admin("verify", "a", "--who", "eve");
    assertThat(ran.exit()).isZero();
    assertThat(ran.lines())
        .containsExactly(
            "node1: 8 files, 8.0 MiB: 1 rotten, 1 of them repaired",
            "  a\\u000Ab: repaired from node2",
            "node2: 8 files, 8.0 MiB: all as they were stored");
    assertThat(scripted.asked())
        .startsWith("verify \"a\" by eve", "verification")
        .allMatch(each -> each.startsWith("verif"));
  }

  @Test
  void shouldSayWhatCanNotBeRepaired() throws Exception {
    scripted.verifications.add(
        List.of(
            reading("node1", false, 8, new RottenFile("f", "", "no other node has it")),
            silent("node2")));
    Shell.Ran ran = admin("verify");
    assertThat(ran.exit()).isEqualTo(10);
    assertThat(ran.lines())
        .containsExactly("node1: 8 files, 8.0 MiB: 1 rotten, 0 of them repaired");
    assertThat(ran.err())
        .isEqualTo(
            """
            theseus admin verify: node1: f: no other node has it
            theseus admin verify: node2: can't be reached
            """);
    JsonNode json = json(admin("verify", "--json"));
    assertThat(json.at("/nodes/0/findings/0/name").asText()).isEqualTo("f");
    assertThat(json.at("/nodes/1/failure").asText()).isEqualTo("can't be reached");
  }

  @Test
  void shouldNotWaitWhereThatIsNotWanted() throws Exception {
    scripted.verifications.add(List.of(reading("node1", true, 0), silent("node2")));
    Shell.Ran ran = admin("verify", "--detach");
    assertThat(ran.exit()).isEqualTo(10);
    assertThat(ran.lines()).containsExactly("node1: begun");
    assertThat(ran.err()).isEqualTo("theseus admin verify: node2: can't be reached\n");
    assertThat(scripted.asked()).hasSize(1);
  }

  @Test
  void shouldDrainABackup() throws Exception {
    Shell.Ran ran = admin("backups", "drain", "node2", "--who", "eve");
    assertThat(ran.exit()).isZero();
    assertThat(ran.lines())
        .containsExactly(
            "node2: gets no new copies; of 3 uploads that it copies now, and of its files, those that"
                + " can go elsewhere do; `theseus admin backups` shows how many are left");
    ran = admin("backups", "drain", "node2", "--undo", "--who", "eve");
    assertThat(ran.lines()).containsExactly("node2: gets new copies again");
    assertThat(scripted.asked()).containsExactly("drain node2 by eve", "undrain node2 by eve");
    JsonNode json = json(admin("backups", "drain", "node2", "--json"));
    assertThat(json.at("/command").asText()).isEqualTo("drain");
    assertThat(json.at("/running").asInt()).isEqualTo(3);
    assertThat(admin("backups", "drain").exit()).isEqualTo(2);
  }

  @Test
  void shouldCloseAndOpenTheRegistrationOfBackups() throws Exception {
    scripted.accepted = Map.of("node1", Operations.DONE, "node2", "no answer");
    Shell.Ran ran = admin("backups", "close", "--who", "eve");
    assertThat(ran.exit()).isEqualTo(10);
    assertThat(ran.lines()).containsExactly("node1: lets no further backups register");
    assertThat(ran.err()).isEqualTo("theseus admin backups close: node2: no answer\n");
    scripted.accepted = Map.of("node1", Operations.DONE);
    ran = admin("backups", "open", "--who", "eve");
    assertThat(ran.exit()).isZero();
    assertThat(ran.lines()).containsExactly("node1: lets backups register");
    assertThat(scripted.asked())
        .containsExactly("close registration by eve", "open registration by eve");
  }

  // ---- at a pace of the test's

  /** Ticks so often, then Ctrl-C comes. */
  private static final class Ticks implements Ticker {
    private final int most;
    private final Map<Integer, Runnable> events = new java.util.HashMap<>();
    private int count;

    Ticks(int most) {
      this.most = most;
    }

    void at(int tick, Runnable event) {
      events.put(tick, event);
    }

    @Override
    public boolean next() {
      count++;
      events.getOrDefault(count, () -> {}).run();
      return count <= most;
    }

    @Override
    public void close() {}
  }

  private Shell.Ran run(Ticks ticks, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams = shell.streams(out, err);
    String[] all =
        Stream.concat(Stream.of(arguments), Stream.of("--config", config)).toArray(String[]::new);
    int exit =
        new picocli.CommandLine(new Theseus())
            .addSubcommand(AdminGroup.commands(streams, () -> ticks, () -> ticks))
            .execute(Stream.concat(Stream.of("admin"), Stream.of(all)).toArray(String[]::new));
    streams.out().flush();
    return new Shell.Ran(exit, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
  }
}
