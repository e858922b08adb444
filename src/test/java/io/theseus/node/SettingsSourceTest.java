package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.theseus.access.Rights;
import io.theseus.node.NodeSettings.LiveSource;
import io.theseus.node.NodeSettings.Role;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsSourceTest {
  private static final int MIB = 1 << 20;

  @Test
  void shouldHaveTheDefaultsThatAreWrittenDown() {
    NodeSettings settings = SettingsSource.defaults().read();
    Path data = Path.of("data").toAbsolutePath();

    assertThat(settings.id()).isEqualTo("node1");
    assertThat(settings.roles()).containsExactlyInAnyOrder(Role.CONTROL, Role.BACKUP);
    assertThat(settings.dataDir()).isEqualTo(data);
    assertThat(settings.store())
        .isEqualTo(new NodeSettings.Store(data.resolve("files"), 64 * MIB, 0, 0));
    assertThat(settings.packets())
        .isEqualTo(
            new NodeSettings.Packets(
                "127.0.0.1",
                7411,
                "",
                Duration.ofSeconds(60),
                MIB,
                16 * MIB,
                64 * MIB,
                Duration.ofMillis(5),
                65_536,
                16_384,
                Optional.empty()));
    assertThat(settings.access())
        .isEqualTo(new NodeSettings.Access(Optional.empty(), NodeSettings.Access.Anonymous.AUTO));
    assertThat(settings.modules())
        .isEqualTo(modules(List.of(), Optional.of(data.resolve("modules/lab.key"))));
    assertThat(settings.session())
        .isEqualTo(
            new NodeSettings.Session(
                Duration.ofHours(24),
                64 * MIB,
                Duration.ofSeconds(5),
                Duration.ofMinutes(5),
                10_000,
                /* bandwidth= */ 0));
    assertThat(settings.live()).isEmpty();
    assertThat(settings.threads())
        .isEqualTo(new NodeSettings.Threads(Runtime.getRuntime().availableProcessors(), 0, 16));
    assertThat(settings.journalDir()).isEqualTo(data.resolve("journal"));
    assertThat(settings.cluster())
        .isEqualTo(
            new NodeSettings.Cluster(
                Set.of("node1"),
                List.of(),
                "127.0.0.1",
                25_511,
                Duration.ofSeconds(10),
                Duration.ofDays(30),
                Optional.empty()));
    assertThat(settings.backup())
        .isEqualTo(
            new NodeSettings.Backup(
                7431,
                "",
                128 * MIB,
                /* factor= */ 1,
                NodeSettings.Backup.WhenMissing.CONTINUE,
                /* rack= */ "",
                /* registration= */ Optional.empty()));
    assertThat(settings.log())
        .isEqualTo(new NodeSettings.Log(NodeSettings.Log.Format.TEXT, NodeSettings.Log.Level.INFO));
    assertThat(settings.akka().getBoolean("akka.actor.allow-java-serialization")).isFalse();
    assertThat(settings.akka().getString("akka.actor.provider")).isEqualTo("cluster");
    assertThat(
            settings.akka().getBoolean("akka.cluster.split-brain-resolver.down-all-when-unstable"))
        .isFalse();
    assertThat(settings.akka().getBoolean("akka.cluster.run-coordinated-shutdown-when-down"))
        .isTrue();
  }

  @Test
  void shouldLetTheLaterLayerWin(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("my.conf");
    Files.writeString(
        file, "theseus { node.id = file, data-dir = /file, packets { port = 1, idle = 20s } }");
    System.setProperty("theseus.packets.port", "2");
    System.setProperty("theseus.packets.max-data", "8 KiB");
    try {
      NodeSettings settings =
          SettingsSource.defaults()
              .file(file)
              .set("packets.port=3")
              .set("theseus.packets.port=4")
              .set("store.root=/set")
              .root(Path.of("/root-option"))
              .read();

      assertThat(settings.id()).isEqualTo("file");
      assertThat(settings.packets().idle()).isEqualTo(Duration.ofSeconds(20));
      assertThat(settings.packets().maxDataBytes()).isEqualTo(8192);
      assertThat(settings.packets().port()).isEqualTo(4);
      assertThat(settings.store().root()).isEqualTo(Path.of("/root-option"));
      assertThat(settings.journalDir()).isEqualTo(Path.of("/file/journal"));
    } finally {
      System.clearProperty("theseus.packets.port");
      System.clearProperty("theseus.packets.max-data");
    }
  }

  @Test
  void shouldTakeValuesOfPairsAsTheyStand() {
    NodeSettings settings =
        SettingsSource.defaults()
            .set("data-dir=/a//b#c")
            .set("packets.advertise=files.example:7411")
            .set("cluster.nodes=node1, node2")
            .set("cluster.seed-nodes=[\"127.0.0.1:25511\", \"127.0.0.1:25512\"]")
            .set("akka.loglevel=DEBUG")
            .read();

    assertThat(settings.dataDir()).isEqualTo(Path.of("/a/b#c"));
    assertThat(settings.packets().advertised(9)).isEqualTo("files.example:7411");
    assertThat(settings.cluster().nodes()).containsExactlyInAnyOrder("node1", "node2");
    assertThat(settings.cluster().seedNodes())
        .containsExactly("127.0.0.1:25511", "127.0.0.1:25512");
    assertThat(settings.akka().getString("akka.loglevel")).isEqualTo("DEBUG");
  }

  @Test
  void shouldPutIpv6InBrackets() {
    assertThat(SettingsSource.defaults().set("packets.host=::1").read().packets().advertised(7411))
        .isEqualTo("[::1]:7411");
  }

  @Test
  void shouldNeedAMajorityOfAllNodes() {
    assertThat(majority("node1")).isEqualTo(1);
    assertThat(majority("node1,node2")).isEqualTo(2);
    assertThat(majority("node1,node2,node3")).isEqualTo(2);
    assertThat(majority("node1,node2,node3,node4")).isEqualTo(3);
  }

  private static int majority(String nodes) {
    NodeSettings settings =
        SettingsSource.defaults()
            .set("cluster.nodes=" + nodes)
            .set("cluster.seed-nodes=127.0.0.1:25511")
            .read();
    assertThat(
            settings.akka().getInt("akka.cluster.split-brain-resolver.static-quorum.quorum-size"))
        .isEqualTo(settings.cluster().majority());
    return settings.cluster().majority();
  }

  @Test
  void shouldReadLiveSources(@TempDir Path directory) throws IOException, ProtocolException {
    Path file = directory.resolve("my.conf");
    Files.writeString(
        file,
        "theseus.live { \"camera/front.ts\" = { fifo = /run/camera }, log = { command = [tail, -f],"
            + " spool = 64 MiB } }");

    assertThat(SettingsSource.defaults().file(file).read().live())
        .isEqualTo(
            Map.of(
                FileName.parse("camera/front.ts"),
                new LiveSource.Fifo(Path.of("/run/camera"), 0),
                FileName.parse("log"),
                new LiveSource.Command(List.of("tail", "-f"), 64 * MIB)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          packets.port=99999          | theseus.packets.port: "99999" (expected: 0 to 65535) [--set]
          packets.port=x              | theseus.packets.port: "x" (expected: 0 to 65535) [--set]
          packets.max-data=1 KiB      | theseus.packets.max-data: "1 KiB" (expected: 4 KiB to 16 MiB) [--set]
          packets.max-data=2147483648 | theseus.packets.max-data: "2147483648" (expected: 4 KiB to 16 MiB) [--set]
          packets.put-window=4 KiB    | theseus.packets.put-window: "4 KiB" (expected: 1 MiB to 1 GiB) [--set]
          packets.idle=9s             | theseus.packets.idle: "9s" (expected: 10s to 1h) [--set]
          packets.checkpoint-delay=2s | theseus.packets.checkpoint-delay: "2s" (expected: 0 to 1s) [--set]
          session.keep=0s             | theseus.session.keep: "0s" (expected: 1s to 365d) [--set]
          session.bandwidth=63 KiB    | theseus.session.bandwidth: "63 KiB" (expected: 0, or at least 64 KiB) [--set]
          store.rest-bytes=-1         | theseus.store.rest-bytes: "-1" (expected: at least 0) [--set]
          store.max-bytes=-1          | theseus.store.max-bytes: "-1" (expected: at least 0) [--set]
          store.max-files=many        | theseus.store.max-files: "many" (expected: at least 0) [--set]
          backup.registration=shut    | theseus.backup.registration: "shut" (expected: open, or 1s to 365d) [--set]
          backup.rack=a/b             | theseus.backup.rack: "a/b" (expected: nothing, or 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit) [--set]
          node.roles=driver           | theseus.node.roles: "driver" (expected: "control", "backup" or both) [--set]
          node.roles=                 | theseus.node.roles: "" (expected: "control", "backup" or both) [--set]
          node.id=a b                 | theseus.node.id: "a b" (expected: 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit) [--set]
          threads.disk=1              | theseus.threads.disk: "1" (expected: 2 to 1024) [--set]
          log.format=xml              | theseus.log.format: "xml" (expected: text, json) [--set]
          data-dir=                   | theseus.data-dir: "" (expected: a path) [--set]
          cluster.host=0.0.0.0        | theseus.cluster.host: "0.0.0.0" (expected: an address by which other nodes reach this one) [--set]
          cluster.nodes=node7         | theseus.cluster.nodes: "node7" (expected: all ids, that of this node, theseus.node.id node1, too) [--set]
          cluster.nodes=node1,node2   | theseus.cluster.seed-nodes: [] (expected: the addresses of the nodes, since theseus.cluster.nodes names 2)
          cluster.seed-nodes=a        | theseus.cluster.seed-nodes: "a" (expected: host:port of each, IPv6 in brackets, no wildcard) [--set]
          cluster.seed-nodes=a:1,a:1  | theseus.cluster.seed-nodes: "a:1,a:1" (expected: each node once) [--set]
          packets.advertise=[::]:1    | --set: "packets.advertise=[::]:1" (expected: key=value, as packets.port=7500)
          packets.advertise=0.0.0.0:1 | theseus.packets.advertise: "0.0.0.0:1" (expected: host:port as clients reach it, IPv6 in brackets, no wildcard) [--set]
          peers.advertise=there       | theseus.peers.advertise: "there" (expected: host:port as other nodes reach it, IPv6 in brackets, no wildcard) [--set]
          packets.host=0.0.0.0        | theseus.packets.advertise: "" (expected: host:port by which clients reach this node, since theseus.packets.host is the wildcard 0.0.0.0)
          live={"../x"={fifo=/a}}     | theseus.live."../x": {"fifo":"/a"} (expected: a name that a file may have: "../x" (expected: no component . or ..)) [--set]
          live={x={pipe=/a}}          | theseus.live."x": {"pipe":"/a"} (expected: { fifo = "/path" } or { command = ["program", ...] }, and spool = 64 MiB or none) [--set]
          live={x={fifo=/a,spool=9}}  | theseus.live."x".spool: 9 (expected: at least 512 KiB) [--set]
          packets=7                   | theseus.packets: "7" (expected: an object { ... }) [--set]
          packets.tls.certificate=a   | theseus.packets.tls.key: "" (expected: a path, since theseus.packets.tls.certificate is set)
          cluster.tls.certificate=a   | theseus.cluster.tls.key: "" (expected: a path, since theseus.cluster.tls.certificate is set)
          cluster.host=192.0.2.1      | theseus.cluster.host: "192.0.2.1" (expected: a loopback address, since nodes trust whoever reaches them there; beyond it theseus.cluster.tls, or theseus.cluster.unencrypted = anywhere where the whole network is trusted) [--set]
          packets.host=192.0.2.1      | theseus.packets.host: "192.0.2.1" (expected: a loopback address, since nothing is encrypted on this port; clients from elsewhere come over theseus.packets.tls, or theseus.packets.unencrypted = anywhere where the whole network is trusted) [--set]
          packets.unencrypted=yes     | theseus.packets.unencrypted: "yes" (expected: loopback, anywhere) [--set]
          access.anonymous=some       | theseus.access.anonymous: "some" (expected: auto, all, read, nothing) [--set]
          modules.keys=["a",""]       | theseus.modules.keys: ["a",""] (expected: a list of paths) [--set]
          packets.tls.handshake=5m    | theseus.packets.tls.handshake: "5m" (expected: 1s to 60s) [--set]
          packets.max-connections=-1  | theseus.packets.max-connections: "-1" (expected: 0 to 1000000) [--set]
          nonsense                    | --set: "nonsense" (expected: key=value, as packets.port=7500)
          """)
  void shouldRefuseWithValueAndExpectation(String pair, String message) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> SettingsSource.defaults().set(pair).read())
        .withMessage(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          packets.prot=1      | theseus.packets.prot: unknown (expected: a key of application.conf; the nearest is theseus.packets.port) [--set]
          packets.maxdata=1   | theseus.packets.maxdata: unknown (expected: a key of application.conf; the nearest is theseus.packets.max-data) [--set]
          node-id=x           | theseus.node-id: unknown (expected: a key of application.conf; the nearest is theseus.node.id) [--set]
          """)
  void shouldNameTheNearestKnownKey(String pair, String message) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> SettingsSource.defaults().set(pair).read())
        .withMessage(message);
  }

  @Test
  void shouldServeBeyondLoopbackOnlyWhereSomebodyMayDoSomething() {
    SettingsSource source =
        SettingsSource.defaults().set("packets.host=192.0.2.1").set("packets.unencrypted=anywhere");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(source::read)
        .withMessage(
            "theseus.access.tokens: \"\" (expected: a file of tokens, since clients are served at"
                + " 192.0.2.1, beyond loopback, and nobody without a token may do anything there; or"
                + " theseus.access.anonymous = read or all)");
    assertThat(source.set("access.tokens=t").read().access().anonymousAt("192.0.2.1"))
        .isEqualTo(Rights.NOTHING);
    assertThat(source.read().access().anonymousAt("::1")).isEqualTo(Rights.ALL);
    assertThat(source.set("access.anonymous=read").read().access().anonymousAt("::1"))
        .isEqualTo(Rights.READ);
  }

  @Test
  void shouldSayInWhichFileAndLineAWrongValueStands(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("my.conf");
    Files.writeString(file, "theseus {\n  packets.port = 70000\n}\n");

    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> SettingsSource.defaults().file(file).read())
        .withMessageStartingWith("theseus.packets.port: 70000 (expected: 0 to 65535)")
        .withMessageContaining("my.conf: 2");
  }

  @Test
  void shouldRefuseAFileThatIsNotThere() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> SettingsSource.defaults().file(Path.of("/nowhere/my.conf")).read())
        .withMessage("--config: \"/nowhere/my.conf\" (expected: a file that exists)");
  }

  @Test
  void shouldRefuseAFileThatCantBeParsed(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("my.conf");
    Files.writeString(file, "theseus {\n");

    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> SettingsSource.defaults().file(file).read())
        .withMessageStartingWith("--config: ");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void shouldReadTheFilesOfThreeNodes(int number) {
    NodeSettings settings =
        SettingsSource.defaults().file(Path.of("cluster/node" + number + ".conf")).read();

    assertThat(settings.id()).isEqualTo("node" + number);
    assertThat(settings.dataDir()).isEqualTo(Path.of("data/node" + number).toAbsolutePath());
    assertThat(settings.packets().port()).isEqualTo(7410 + number);
    assertThat(settings.cluster().port()).isEqualTo(25_510 + number);
    assertThat(settings.backup().port()).isEqualTo(7430 + number);
    assertThat(settings.cluster().majority()).isEqualTo(2);
    assertThat(settings.cluster().seedNodes()).contains("127.0.0.1:" + (25_510 + number));
  }

  @Test
  void shouldExplainEveryKey() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("application.conf"));
    int from = lines.indexOf("theseus {");
    int to =
        lines.indexOf(
            "# Akka, the actor library underneath. Nothing in here needs to be changed to run a node.");
    assertThat(from).isPositive();
    assertThat(to).isGreaterThan(from);

    assertThat(uncommented(lines.subList(from + 1, to)))
        // explained together with the line above, or parts of a dispatcher
        .containsExactlyInAnyOrder(
            "key",
            "key",
            "ca",
            "max-connections-per-source",
            "mark-interval",
            "type",
            "executor",
            "thread-pool-executor.fixed-pool-size",
            "throughput",
            "type",
            "executor",
            "thread-pool-executor.fixed-pool-size",
            "throughput",
            "type",
            "executor",
            "thread-pool-executor.fixed-pool-size",
            "throughput");
  }

  private static List<String> uncommented(List<String> lines) {
    return Stream.iterate(1, i -> i < lines.size(), i -> i + 1)
        .filter(i -> lines.get(i).contains(" = ") && !lines.get(i).strip().startsWith("#"))
        .filter(i -> !lines.get(i - 1).strip().startsWith("#"))
        .map(i -> lines.get(i).strip().replaceFirst(" = .*", ""))
        .toList();
  }

  private static NodeSettings.Modules modules(List<Path> keys, Optional<Path> labKey) {
    return new NodeSettings.Modules(
        keys, labKey, 2, Duration.ofSeconds(1), Duration.ofSeconds(5), 1);
  }

  @Test
  void shouldMakeAKeyForModulesOnLoopbackOnly() {
    assertThat(SettingsSource.defaults().set("modules.keys=a.pub,b.pub").read().modules())
        .isEqualTo(
            modules(
                List.of(Path.of("a.pub").toAbsolutePath(), Path.of("b.pub").toAbsolutePath()),
                Optional.empty()));
    SettingsSource beyond =
        SettingsSource.defaults()
            .set("packets.host=192.0.2.1")
            .set("packets.unencrypted=anywhere")
            .set("access.anonymous=read");
    assertThat(beyond.read().modules()).isEqualTo(modules(List.of(), Optional.empty()));
    assertThat(
            SettingsSource.defaults()
                .set("cluster.host=192.0.2.1")
                .set("cluster.unencrypted=anywhere")
                .read()
                .modules()
                .labKey())
        .isEmpty();
  }
}
