package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.admin.NodeStatus;
import io.theseus.admin.NodeStatus.Member;
import io.theseus.admin.NodeStatus.Part;
import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.RunRegistry;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.admin.jmx.StatusClient.UnreachableException;
import io.theseus.journal.JournalStatus;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A running node's status, through the JMX door, as `theseus status` gets it. */
class NodeStatusTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @Test
  void shouldBeNormalOnceJoined(@TempDir Path work) throws Exception {
    StatusClient client = client(work);
    try (Node node = start(work.resolve("data"), "node1")) {
      await().atMost(LONG).until(() -> node.status().isNormal());
      RunFile found = client.find(Optional.empty());
      NodeStatus status = client.status(found);

      assertThat(status.node()).isEqualTo("node1");
      assertThat(status.pid()).isEqualTo(ProcessHandle.current().pid());
      assertThat(status.addresses())
          .containsEntry("packets", node.packetsAddress().orElseThrow())
          .containsKey("remoting");
      assertThat(status.roles()).containsExactly("backup", "control");
      assertThat(status.dataDir()).isEqualTo(work.resolve("data").toString());
      assertThat(status.filesDir()).isEqualTo(work.resolve("data/files").toString());
      assertThat(status.freeBytes()).isPositive();
      assertThat(status.sessions()).isEqualTo(Map.of("live", 0L, "kept", 0L));
      assertThat(status.parts())
          .extracting(Part::name)
          .containsExactly("cluster", "control", "code", "disk", "descriptors", "files", "journal");
      assertThat(status.cluster().members())
          .extracting(Member::node, Member::status, Member::reachable)
          .containsExactly(org.assertj.core.groups.Tuple.tuple("node1", "up", true));
      assertThat(found.packets()).isEqualTo(node.packetsAddress().orElseThrow());
    }
    assertThatExceptionOfType(UnreachableException.class)
        .isThrownBy(() -> client.find(Optional.empty()))
        .withMessage("no node of this user runs here; start one: theseus node");
    assertThat(RunFile.in(work.resolve("data"))).doesNotExist();
  }

  @Test
  void shouldNameWhatItWaitsForAndServeMeanwhile(@TempDir Path work) throws Exception {
    try (TestCluster cluster = TestCluster.of(3, work.resolve("data"))) {
      cluster.start(2);
      await()
          .atMost(LONG)
          .untilAsserted(
              () ->
                  assertThat(cluster.node(2).status().cluster().waitsFor())
                      .isEqualTo(
                          "waiting for 1 more of seed nodes "
                              + cluster.address(1)
                              + " (no answer), "
                              + cluster.address(3)
                              + " (no answer); needs 2 of 3"));
      NodeStatus status = cluster.node(2).status();
      assertThat(status.isNormal()).isFalse();
      assertThat(status.parts().get(0).state()).isEqualTo("joining");
      assertThat(status.addresses()).containsKey("packets");

      cluster.start(3);
      await()
          .atMost(LONG)
          .untilAsserted(
              () ->
                  assertThat(cluster.node(2).status().parts().get(0))
                      .isEqualTo(
                          new Part(
                              "cluster",
                              "incomplete",
                              "node1 has not joined (theseus.cluster.nodes names 3 nodes)")));
    }
  }

  @Test
  void shouldListTheNodesWhereSeveralRun(@TempDir Path work) throws Exception {
    StatusClient client = client(work);
    Path second = Files.writeString(work.resolve("second.conf"), "theseus.data-dir = data/b");
    Path third = Files.writeString(work.resolve("third.conf"), "theseus.data-dir = data/c");
    try (Node a = start(work.resolve("data/a"), "one");
        Node b = start(work.resolve("data/b"), "two")) {
      assertThatExceptionOfType(UnreachableException.class)
          .isThrownBy(() -> client.find(Optional.empty()))
          .withMessageStartingWith("several nodes run here; say which one by --config FILE:")
          .withMessageContaining("node one (process ")
          .withMessageContaining("node two (process ")
          .matches(UnreachableException::severalRun);

      assertThat(client.find(Optional.of(second)).node()).isEqualTo("two");
      assertThat(client.status(client.find(Optional.of(second))).node()).isEqualTo("two");
      assertThatExceptionOfType(UnreachableException.class)
          .isThrownBy(() -> client.find(Optional.of(third)))
          .withMessage(
              "no node runs on "
                  + work.resolve("data/c")
                  + "; start it: theseus node --config "
                  + third);
      assertThat(a.settings().id() + b.settings().id()).isEqualTo("onetwo");
    }
  }

  @Test
  void shouldFindANodeElsewhereByTheRegistry(@TempDir Path work, @TempDir Path elsewhere)
      throws Exception {
    RunRegistry registry = new RunRegistry(work.resolve("registry"));
    StatusClient client = new StatusClient(work, registry, LONG);
    try (Node node = start(elsewhere.resolve("data"), "far")) {
      registry.add("far", node.settings().dataDir());

      assertThat(client.find(Optional.empty()).node()).isEqualTo("far");
    }
    // the node has ended, its entry is out of date and goes
    assertThatExceptionOfType(UnreachableException.class)
        .isThrownBy(() -> client.find(Optional.empty()));
    assertThat(work.resolve("registry")).isEmptyDirectory();
  }

  @Test
  void shouldTakeNoNotesOfTheDeadForANode(@TempDir Path work) throws Exception {
    Process gone = new ProcessBuilder("true").start();
    assertThat(gone.waitFor()).isZero();
    Files.createDirectories(work.resolve("data/run"));
    new RunFile("node1", gone.pid(), "1", "data", "url", "secret", "name", "", "", "")
        .write(RunFile.in(work.resolve("data")));

    assertThatExceptionOfType(UnreachableException.class)
        .isThrownBy(() -> client(work).find(Optional.empty()));
  }

  @Test
  void shouldSayWhenANodeDoesNotAnswer(@TempDir Path work) {
    RunFile run =
        new RunFile(
            "node1",
            ProcessHandle.current().pid(),
            "1",
            "/d",
            "service:jmx:rmi://127.0.0.1/stub/none",
            "secret",
            "io.theseus:type=Node,node=node1",
            "",
            "",
            "");

    assertThatExceptionOfType(UnreachableException.class)
        .isThrownBy(() -> client(work).status(run))
        .withMessageStartingWith(
            "node node1 (process " + run.pid() + ", data-dir /d) does not answer: ");
  }

  @Test
  void shouldKeepItsSecretToTheOwner(@TempDir Path work) throws Exception {
    try (Node node = start(work.resolve("data"), "node1")) {
      Path file = RunFile.in(work.resolve("data"));
      RunFile run = RunFile.read(file).orElseThrow();

      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      assertThat(run.secret()).hasSize(64);
      assertThat(run.toString()).doesNotContain(run.secret());
      for (Object credentials : new Object[] {"wrong", "", List.of(run.secret())}) {
        assertThatThrownBy(() -> connect(run, Map.of(JMXConnector.CREDENTIALS, credentials)))
            .isInstanceOfAny(SecurityException.class, IOException.class);
      }
      assertThatThrownBy(() -> connect(run, Map.of())).isInstanceOf(SecurityException.class);
      assertThat(node.settings().id()).isEqualTo("node1");
    }
  }

  @Test
  void shouldRefuseClassesThatAreNotOnItsList(@TempDir Path work) throws Exception {
    try (Node node = start(work.resolve("data"), "node1")) {
      RunFile run = RunFile.read(RunFile.in(work.resolve("data"))).orElseThrow();
      try (JMXConnector connector = connect(run, Map.of(JMXConnector.CREDENTIALS, run.secret()))) {
        MBeanServerConnection server = connector.getMBeanServerConnection();
        ObjectName name = new ObjectName(run.objectName());
        assertThat(server.getAttribute(name, "Node")).isEqualTo(node.settings().id());

        assertThatThrownBy(
                () ->
                    server.invoke(
                        name,
                        "getStatus",
                        new Object[] {new java.io.File("gadget")},
                        new String[] {"java.io.File"}))
            .hasStackTraceContaining("REJECTED");
      }
    }
  }

  @Test
  void shouldOfferOpenTypesToLocalJmx(@TempDir Path work) throws Exception {
    try (Node node = start(work.resolve("data"), "jmx.node")) {
      await().atMost(LONG).until(() -> node.status().isNormal());
      ObjectName name = new ObjectName("io.theseus:type=Node,node=jmx.node");
      Map<String, Object> attributes = new java.util.TreeMap<>();
      for (var attribute :
          ManagementFactory.getPlatformMBeanServer().getMBeanInfo(name).getAttributes()) {
        assertThat(attribute.getDescriptor().getFieldValue("openType"))
            .isInstanceOf(javax.management.openmbean.OpenType.class);
        attributes.put(
            attribute.getName(),
            ManagementFactory.getPlatformMBeanServer().getAttribute(name, attribute.getName()));
      }

      assertThat(attributes)
          .containsEntry("Node", "jmx.node")
          .containsEntry("Normal", true)
          .containsEntry("WaitsFor", "")
          .containsKeys(
              "Counters",
              "Errors",
              "Failures",
              "FreeBytes",
              "Reasons",
              "Sessions",
              "Status",
              "UptimeSeconds",
              "Version");
    }
    assertThat(
            ManagementFactory.getPlatformMBeanServer()
                .queryNames(new ObjectName("io.theseus:type=Node,node=jmx.node,*"), null))
        .isEmpty();
  }

  @Test
  void shouldComeBackFromJsonAsItWas() throws Exception {
    NodeStatus status =
        new NodeStatus(
            "n",
            "1",
            2,
            "2026-11-21T00:00:00Z",
            3,
            Map.of("packets", "a:1"),
            List.of("backup"),
            "/d",
            "/f",
            -1,
            new NodeStatus.Quota(1, 2, 3, 4),
            Map.of("live", 4L),
            Map.of("marks", 5L),
            Map.of("timeout", 6L),
            Map.of("timeout", 7L),
            new NodeStatus.Cluster(
                "a:2", "", "waits", List.of(new Member("n", "a:2", "up", false, List.of()))),
            new NodeStatus.Code("standard", "act a1", true, true, "current", 7),
            new NodeStatus.Backups(1, 2, 3),
            NodeStatus.Files.NONE,
            Map.of("packets", "2027-11-21T00:00:00Z"),
            List.of(Part.normal("disk"), new Part("cluster", "joining", "waits")));

    assertThat(NodeStatus.fromJson(status.toJson())).isEqualTo(status);
    JsonNode json = new ObjectMapper().readTree(status.toJson());
    assertThat(json.get("normal").asBoolean()).isFalse();
    assertThat(NodeStatus.fromJson(status.toJson().replaceFirst("\\{", "{\"later\":1,")))
        .isEqualTo(status);
    assertThat(NodeStatus.fromJson(status.toJson().replaceFirst("\"quota\":[^}]*},", "")).quota())
        .isEqualTo(NodeStatus.Quota.NONE);
    assertThat(
            NodeStatus.fromJson(status.toJson().replaceFirst("\"backups\":[^}]*},", "")).backups())
        .isEqualTo(NodeStatus.Backups.NONE);
  }

  @Test
  void shouldGiveAReasonForEveryStateThatIsNotNormal() {
    assertThatThrownBy(() -> new Part("disk", "full", ""))
        .hasMessage("reason: \"\" (expected: one for every state but normal, and full was given)");
    assertThatThrownBy(() -> new Part("disk", "normal", "why"))
        .isInstanceOf(IllegalArgumentException.class);

    NodeSettings.Store store = new NodeSettings.Store(Path.of("/f"), 100, 0, 0);
    assertThat(Health.disk(store, 101, Optional.empty())).isEqualTo(Part.normal("disk"));
    assertThat(Health.disk(store, 100, Optional.empty()).reason())
        .isEqualTo(
            "uploads are refused: 100 bytes free at /f, and theseus.store.rest-bytes keeps 100");
    assertThat(Health.disk(store, -1, Optional.empty()).state()).isEqualTo("unknown");
    assertThat(Health.disk(store, 101, Optional.of("internal: EIO")))
        .isEqualTo(
            new Part(
                "disk",
                "failed",
                "uploads and deletions are refused until the node is started again: internal:"
                    + " EIO"));
    assertThat(Health.descriptors(new Descriptors(1000), 811))
        .isEqualTo(Part.normal("descriptors"));
    assertThat(Health.descriptors(new Descriptors(1000), 812).reason())
        .startsWith("812 are open of 1000 that may be; ");
    assertThat(Health.backups(new NodeStatus.Backups(1, 2, 0))).isEqualTo(Part.normal("backups"));
    assertThat(Health.backups(new NodeStatus.Backups(2, 1, 3)))
        .isEqualTo(
            new Part(
                "backups",
                "short",
                "1 can be reached and chosen, theseus.backup.factor wants 2; 3 uploads have bytes"
                    + " that were acknowledged and are on too few nodes"));
    assertThat(Health.quota(new NodeStatus.Quota(9, 10, 0, 0)).isNormal()).isTrue();
    assertThat(Health.quota(new NodeStatus.Quota(10, 10, 7, 5)))
        .isEqualTo(
            new Part(
                "quota",
                "full",
                "uploads that need more are refused: 10 bytes are used of theseus.store.max-bytes,"
                    + " 10; 7 files are there of theseus.store.max-files, 5"));
    assertThat(Health.control(true).isNormal()).isTrue();
    assertThat(Health.control(false).state()).isEqualTo("silent");
    assertThat(Health.journal(Optional.empty()).state()).isEqualTo("closed");
    assertThat(Health.journal(Optional.of(journal(Optional.empty()))).isNormal()).isTrue();
    assertThat(Health.journal(Optional.of(journal(Optional.of("fsync: EIO")))))
        .isEqualTo(
            new Part(
                "journal",
                "failed",
                "uploads are not acknowledged until the node is started again: fsync: EIO"));
    assertThat(
            Health.cluster(
                    new NodeSettings.Cluster(
                        Set.of("a", "b", "c"),
                        List.of(),
                        "h",
                        1,
                        Duration.ZERO,
                        Duration.ZERO,
                        Optional.empty()),
                    new NodeStatus.Cluster(
                        "h:1",
                        "h:1",
                        "",
                        List.of(
                            new Member("a", "h:1", "up", true, List.of()),
                            new Member("b", "h:2", "up", false, List.of()))))
                .reason())
        .isEqualTo(
            "b at h:2 can't be reached; c has not joined (theseus.cluster.nodes names 3 nodes)");
  }

  private static JournalStatus journal(Optional<String> failure) {
    return new JournalStatus(Path.of("/j"), "native", 0, 0, failure);
  }

  private static StatusClient client(Path work) {
    return new StatusClient(work, new RunRegistry(work.resolve("registry")), LONG);
  }

  private static Node start(Path dataDir, String id) throws StartException {
    return Node.start(
        SettingsSource.defaults()
            .set("node.id=" + id)
            .set("data-dir=" + dataDir)
            .set("packets.port=0")
            .set("cluster.port=0")
            .read(),
        Steps.NONE);
  }

  @SuppressWarnings("BanJNDI") // the address is of this test's own node
  private static JMXConnector connect(RunFile run, Map<String, ?> environment) throws IOException {
    return JMXConnectorFactory.connect(new JMXServiceURL(run.url()), environment);
  }
}
