package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.testing.PacketSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code theseus admin} as an operator runs it, beside a node. */
@Tag("processes")
final class AdminProcessTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abc");

  @Test
  void shouldFollowSessionsUntilCtrlC(@TempDir Path work) throws Exception {
    try (TheseusProcess node = TheseusProcess.node(work);
        PacketSocket client = new PacketSocket(address(work));
        TheseusProcess follow =
            TheseusProcess.start(work, Map.of(), "admin", "sessions", "--follow")) {
      client.info("PUT out\nSize: 10\nSession: " + SESSION + "\n");
      client.take("READY");
      await()
          .atMost(LONG)
          .until(() -> follow.out().contains(SESSION + "  node1  put  live  0 B of 10 B"));
      TheseusProcess kill =
          TheseusProcess.start(work, Map.of(), "admin", "kill", SESSION.toString());
      assertThat(kill.exitCode()).as(kill.err()).isZero();
      await()
          .atMost(LONG)
          .until(() -> follow.out().contains(SESSION + "  node1  put  detached  0 B of 10 B"));
      follow.signal("INT");
      assertThat(follow.exitCode()).isEqualTo(130);
      assertThat(follow.err()).isEmpty();
      assertThat(node.process().isAlive()).isTrue();
    }
  }

  private static InetSocketAddress address(Path work) {
    String packets = TheseusProcess.runFile(work.resolve("data")).packets();
    return new InetSocketAddress(
        InetAddress.getLoopbackAddress(),
        Integer.parseInt(packets.substring(packets.lastIndexOf(':') + 1)));
  }
}
