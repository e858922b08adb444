package io.theseus.admin.jmx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.admin.Operations.ActView;
import io.theseus.admin.Operations.BackupList;
import io.theseus.admin.Operations.BackupView;
import io.theseus.admin.Operations.Canary;
import io.theseus.admin.Operations.Drained;
import io.theseus.admin.Operations.Order;
import io.theseus.admin.Operations.Phase;
import io.theseus.admin.Operations.Preview;
import io.theseus.admin.Operations.RevisionView;
import io.theseus.admin.Operations.SessionList;
import io.theseus.admin.Operations.SessionView;
import io.theseus.module.ModuleArchive;
import io.theseus.testing.ScriptedOperations;
import java.io.IOException;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import javax.management.MBeanException;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Operations over JMX: as our client asks them, and as any other would. */
final class OperationsDoorTest {
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abc");
  private static final ActView ACT =
      ScriptedOperations.act("pause", Phase.ROLLED_BACK, "why", Map.of("n2", "failed"));
  private static final RevisionView REVISION =
      new RevisionView(
          "ab".repeat(32), "limiter@2.0", "serving", "{\"channel\":\"standard\"}", List.of("a: b"));
  private static final Order ORDER = Order.by("ada@host");

  private final ScriptedOperations scripted = new ScriptedOperations();
  private JmxDoor door;
  private RunFile run;
  private Operations remote;

  @BeforeEach
  void open() throws IOException {
    door = JmxDoor.open("scripted", OperationsDoorTest::none, scripted);
    run =
        new RunFile(
            "scripted",
            ProcessHandle.current().pid(),
            "1",
            "data",
            door.url(),
            door.secret(),
            door.objectName(),
            "",
            ScriptedOperations.AT,
            "");
    remote = new RemoteOperations(run);
    scripted.news.add(ACT);
    scripted.revisions = List.of(REVISION);
  }

  @AfterEach
  void close() {
    door.close();
  }

  @Test
  void shouldCarryEveryVerbAndItsAnswer() throws Exception {
    Order special = new Order("eve", Set.of("n2", "n3"), Optional.of(Duration.ofMinutes(5)));
    scripted.history = List.of(ACT, ACT);
    scripted.missing = Set.of("n3");
    scripted.accepted = Map.of("n1", Operations.DONE, "n2", "no answer");
    SessionList sessions =
        new SessionList(
            List.of(
                new SessionView(
                    "n1", SESSION, "put", "ä/\n", 5, -1, "held", "standard@1.0.0", "h:1")),
            Map.of("n3", "no answer"));
    scripted.sessions.add(sessions);
    byte[] jar = {1, 2, 3};

    assertThat(remote.preview(jar)).isEqualTo(new Preview(REVISION, Set.of("n3")));
    assertThat(scripted.jar).isEqualTo(jar);
    assertThat(remote.upgrade(jar, Optional.empty(), ORDER)).isEqualTo(ACT);
    assertThat(remote.upgrade(jar, Optional.of(Canary.parse("5%")), special)).isEqualTo(ACT);
    assertThat(remote.upgrade(jar, Optional.of(new Canary(Optional.of(SESSION), 0)), ORDER).what())
        .isEqualTo("pause");
    assertThat(remote.promote(special)).isEqualTo(ACT);
    assertThat(remote.rollback("3f2a", ORDER)).isEqualTo(ACT);
    assertThat(remote.undo(ORDER)).isEqualTo(ACT);
    assertThat(remote.pause(ORDER)).isEqualTo(ACT);
    assertThat(remote.resume(ORDER)).isEqualTo(ACT);
    assertThat(remote.act("act-1")).contains(ACT);
    assertThat(remote.act("other")).isEmpty();
    assertThat(remote.history()).containsExactly(ACT, ACT);
    assertThat(remote.revisions()).containsExactly(REVISION);
    assertThat(remote.sessions()).isEqualTo(sessions);
    assertThat(remote.kill(SESSION, ORDER)).isEqualTo("node2");
    assertThat(remote.accept(false, Set.of("n1"), ORDER)).isEqualTo(scripted.accepted);
    assertThat(remote.accept(true, Set.of(), ORDER)).isEqualTo(scripted.accepted);
    scripted.backups =
        new BackupList(
            "n1", false, List.of(new BackupView("n2", "r", 1L << 40, 2, 3, true, 7, false)));
    assertThat(remote.backups()).isEqualTo(scripted.backups);
    assertThat(remote.drain("n2", true, ORDER)).isEqualTo(new Drained("n2", true, 3));
    assertThat(remote.drain("n2", false, ORDER)).isEqualTo(new Drained("n2", false, 3));
    assertThat(remote.register(false, ORDER)).isEqualTo(scripted.accepted);
    assertThat(remote.register(true, ORDER)).isEqualTo(scripted.accepted);
    assertThat(scripted.asked())
        .containsExactly(
            "preview of 3 bytes",
            "upgrade by ada@host",
            "upgrade canary 5% by eve without [n2, n3] watch PT5M",
            "upgrade canary " + SESSION + " by ada@host",
            "promote by eve without [n2, n3] watch PT5M",
            "rollback to 3f2a by ada@host",
            "undo by ada@host",
            "pause by ada@host",
            "resume by ada@host",
            "act act-1",
            "history",
            "revisions",
            "sessions",
            "kill " + SESSION + " by ada@host",
            "stop accepting [n1] by ada@host",
            "accept [] by ada@host",
            "backups",
            "drain n2 by ada@host",
            "undrain n2 by ada@host",
            "close registration by ada@host",
            "open registration by ada@host");
  }

  @Test
  void shouldTakeTheLongestJarAndNothingLonger(@TempDir Path work) throws Exception {
    byte[] longest = new byte[ModuleArchive.MOST_BYTES];
    new Random(1).nextBytes(longest);
    remote.upgrade(longest, Optional.empty(), ORDER);
    assertThat(scripted.jar).isEqualTo(longest);
    assertThatExceptionOfType(OperationException.class)
        .isThrownBy(() -> remote.preview(Arrays.copyOf(longest, longest.length + 200_000)))
        .matches(OperationException::isUnreachable);

    Path file = Files.write(work.resolve("a.jar"), longest);
    assertThat(invoke("upgrade", file.toString(), "ada")).startsWith("{\"id\":\"act-1\"");
    assertThat(scripted.jar).isEqualTo(longest);
    Files.write(file, Arrays.copyOf(longest, longest.length + 1));
    assertThatThrownBy(() -> invoke("preview", file.toString()))
        .hasRootCauseExactlyInstanceOf(IllegalArgumentException.class)
        .hasRootCauseMessage("path: \"" + file + "\" (expected: at most 16777216 bytes)");
    assertThatThrownBy(() -> invoke("preview", work.toString()))
        .hasRootCauseMessage("path: \"" + work + "\" (expected: a file of this node's host)");
  }

  /** What a client may send is a closed list, a jar or not. */
  @Test
  void shouldTakeNoObjectOfAnotherClass() {
    record Foreign() implements Serializable {}
    assertThatThrownBy(
            () ->
                NodeCall.ask(
                    run,
                    Duration.ofSeconds(30),
                    connection ->
                        connection.invoke(
                            new ObjectName(door.objectName()),
                            "history",
                            new Object[] {new Foreign()},
                            new String[0])))
        .hasMessageContaining("filter status: REJECTED");
  }

  /** Of Java's own classes, with no cause of ours. */
  @Test
  void shouldFailInWordsAnyClientUnderstands() throws Exception {
    scripted.fail(new OperationException("node n2 can't stage it: no space"));
    assertThatThrownBy(() -> invoke("pause", "ada"))
        .isInstanceOf(RuntimeMBeanException.class)
        .cause()
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessage("node n2 can't stage it: no space")
        .hasNoCause();
    assertThatExceptionOfType(OperationException.class)
        .isThrownBy(() -> remote.pause(ORDER))
        .withMessage("node n2 can't stage it: no space")
        .matches(each -> !each.isUnreachable());

    scripted.fail(new OperationException("no majority", /* unreachable= */ true));
    assertThatThrownBy(() -> invoke("pause", "ada"))
        .isInstanceOf(MBeanException.class)
        .cause()
        .isExactlyInstanceOf(ConnectException.class)
        .hasMessage("no majority");
    assertThatExceptionOfType(OperationException.class)
        .isThrownBy(() -> remote.pause(ORDER))
        .withMessage("no majority")
        .matches(OperationException::isUnreachable);

    scripted.fail(new UnsupportedOperationException("oops"));
    assertThatThrownBy(() -> invoke("history"))
        .cause()
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessageContaining("a fault of the node, whose log says more: ")
        .hasMessageContaining("oops")
        .hasNoCause();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "100% | '' | canary: \"100%\" (expected: the id of a session, or a share of 1% to 99%)",
        "0%   | '' | canary: \"0%\" (expected: the id of a session, or a share of 1% to 99%)",
        "x    | '' | canary: \"x\" (expected: the id of a session, or a share of 1% to 99%)",
        "''   | 5m | watchSeconds: \"5m\" (expected: a number of seconds, or nothing)",
      })
  void shouldRefuseWhatItCanNotRead(String canary, String watch, String message) {
    assertThatThrownBy(() -> invoke("upgrade", new byte[1], canary, "", watch, "ada"))
        .hasRootCauseExactlyInstanceOf(IllegalArgumentException.class)
        .rootCause()
        .hasMessage(message);
    assertThat(scripted.asked()).isEmpty();
  }

  @Test
  void shouldSayThatTheNodeIsGone() {
    door.close();
    assertThatExceptionOfType(OperationException.class)
        .isThrownBy(() -> remote.history())
        .withMessageStartingWith("node scripted (process ")
        .withMessageContaining("does not answer")
        .matches(OperationException::isUnreachable);
  }

  /** A person sees what is to be entered, and can enter it: texts. */
  @Test
  void shouldBeUsableInAConsole() throws Exception {
    MBeanOperationInfo[] operations =
        ManagementFactory.getPlatformMBeanServer()
            .getMBeanInfo(new ObjectName(door.objectName()))
            .getOperations();
    assertThat(operations)
        .extracting(MBeanOperationInfo::getName)
        .contains(
            "preview",
            "upgrade",
            "promote",
            "rollback",
            "undo",
            "pause",
            "resume",
            "act",
            "history",
            "revisions",
            "sessions",
            "kill",
            "stopAccepting",
            "accept",
            "backups",
            "drainBackup",
            "undrainBackup",
            "closeRegistration",
            "openRegistration");
    assertThat(operations)
        .allSatisfy(
            each -> {
              assertThat(each.getDescription()).contains(" ");
              assertThat(each.getReturnType()).isEqualTo("java.lang.String");
              assertThat(types(each)).isSubsetOf("java.lang.String", "[B");
            });
    // every verb can be asked with texts alone
    assertThat(
            Stream.of(operations)
                .filter(each -> !types(each).contains("[B"))
                .map(MBeanOperationInfo::getName))
        .contains("preview", "upgrade");
    assertThat(
            Stream.of(operations)
                .filter(each -> each.getName().equals("rollback"))
                .map(
                    each ->
                        Stream.of(each.getSignature()).map(MBeanParameterInfo::getName).toList()))
        .containsExactlyInAnyOrder(
            List.of("revision", "who"), List.of("revision", "without", "watchSeconds", "who"));
  }

  private static List<String> types(MBeanOperationInfo operation) {
    return Stream.of(operation.getSignature()).map(MBeanParameterInfo::getType).toList();
  }

  /** As a console does, in the node's own process. */
  private String invoke(String operation, Object... arguments) throws Exception {
    return (String)
        ManagementFactory.getPlatformMBeanServer()
            .invoke(
                new ObjectName(door.objectName()),
                operation,
                arguments,
                Stream.of(arguments).map(each -> each.getClass().getName()).toArray(String[]::new));
  }

  private static NodeStatus none() {
    throw new AssertionError("nobody asks for the status");
  }
}
