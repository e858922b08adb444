package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.theseus.testing.TestKeys;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Nodes that know each other by certificates, and one that the others don't know. */
final class RemotingTlsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final Queue<String> logged = new ConcurrentLinkedQueue<>();
  private final AppenderBase<ILoggingEvent> appender =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          logged.add(event.getFormattedMessage());
        }
      };
  private final Logger logger = (Logger) LoggerFactory.getLogger(RemotingTls.class);
  private TestKeys keys;

  @BeforeEach
  void listen(@TempDir Path directory) throws Exception {
    keys = TestKeys.in(directory.resolve("keys")).make("node1").make("node2").make("node3");
    appender.start();
    logger.addAppender(appender);
  }

  @AfterEach
  void stop() {
    logger.detachAppender(appender);
  }

  private static String[] tls(TestKeys keys, String name, TestKeys trusted) {
    return new String[] {
      "cluster.tls.certificate=" + keys.certificate(name),
      "cluster.tls.key=" + keys.key(name),
      "cluster.tls.ca=" + trusted.authority()
    };
  }

  @Test
  void shouldFormAClusterOverMutualTls(@TempDir Path directory) throws Exception {
    try (TestCluster cluster = TestCluster.of(2, directory)) {
      cluster.start(1, tls(keys, "node1", keys));
      cluster.start(2, tls(keys, "node2", keys));
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(cluster.membersSeenBy(1))
                      .isEqualTo(Set.of(cluster.address(1), cluster.address(2))));
      assertThat(cluster.node(1).settings().akka().getString("akka.remote.artery.transport"))
          .isEqualTo("tls-tcp");
      assertThat(cluster.node(1).status().certificates()).containsKey("cluster");
      assertThat(cluster.node(1).status().parts())
          .anyMatch(part -> part.name().equals("cluster-certificate") && part.isNormal());
      assertThat(logged).isEmpty();
    }
  }

  @Test
  void shouldNotStartWithoutItsKeys(@TempDir Path directory) {
    try (TestCluster cluster = TestCluster.of(2, directory)) {
      assertThatThrownBy(() -> cluster.start(1, tls(keys, "nobody", keys)))
          .isInstanceOf(StartException.class)
          .hasMessage(
              "theseus.cluster.tls: \""
                  + keys.certificate("nobody")
                  + "\": missing (expected: a file that exists)");
    }
  }

  /** Whoever has no business here. */
  @Nested
  final class Row23 {
    /** Two good ones are a majority and form a cluster; the third never gets in. */
    private void assertStaysOut(Path directory, String[] rogue, String message) throws Exception {
      try (TestCluster cluster = TestCluster.of(3, directory)) {
        cluster.start(1, tls(keys, "node1", keys));
        cluster.start(2, tls(keys, "node2", keys));
        cluster.start(3, rogue);
        Set<String> good = Set.of(cluster.address(1), cluster.address(2));
        await()
            .atMost(PATIENCE)
            .untilAsserted(() -> assertThat(cluster.membersSeenBy(1)).isEqualTo(good));
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () -> assertThat(logged).anyMatch(line -> line.matches("(?s)" + message)));
        assertThat(cluster.node(3).waitsFor()).isPresent();
        assertThat(cluster.membersSeenBy(1)).isEqualTo(good);
        assertThat(cluster.membersSeenBy(3)).isEmpty();
      }
    }

    @Test
    void shouldKeepOutANodeOfAnotherAuthority(@TempDir Path directory) throws Exception {
      TestKeys other = TestKeys.in(directory.resolve("other")).make("node3");
      // it would trust the others
      assertStaysOut(
          directory,
          tls(other, "node3", keys),
          "a node was refused: certificate for localhost, 127.0.0.1, .*, signed by"
              + " \"CN=authority of a test\" \\(expected: one of this cluster's authority, .*");
    }

    @Test
    void shouldKeepOutANodeWithACertificateForAnotherHost(@TempDir Path directory)
        throws Exception {
      keys.make("node3", List.of("elsewhere.example"), Instant.now().plus(Duration.ofDays(60)));
      // as a server it is refused by who connects, as a client by who is connected to
      assertStaysOut(
          directory,
          tls(keys, "node3", keys),
          "a node was refused: a certificate for elsewhere.example \\(expected: for a host of the"
              + " cluster, 127.0.0.1; theseus.cluster.tls.hosts names more\\)");
      assertThat(logged)
          .anyMatch(
              line ->
                  line.startsWith(
                          "a node was refused: certificate for elsewhere.example, signed by")
                      && line.endsWith(
                          "No subject alternative names matching IP address 127.0.0.1 found"));
    }
  }
}
