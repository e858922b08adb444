package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.cli.ExitCode;
import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.NodeProcess.Surroundings;
import io.theseus.testing.PacketSocket;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Refused;
import io.theseus.testing.PacketSocket.RefusedException;
import io.theseus.testing.PacketSocket.Said;
import io.theseus.testing.RawGet;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import io.theseus.testing.RawTransfer.End;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Row 13 of the faults: heap, direct memory, descriptors or threads run out. The node sheds load
 * with an error, or ends and recovers; its status still answers; nothing that was acknowledged is
 * lost.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class ShortageTest {
  private static final int PACKET = 64 << 10;
  private static final Content CONTENT = Content.random(50, 2 << 20);
  private static final int MOST_AT_400 = 400 - (128 + 100);
  private static final int OUT_OF_MEMORY = 3; // of -XX:+ExitOnOutOfMemoryError

  private static RawPut put(String name, long ahead) {
    return new RawPut(name, CONTENT, /* sized= */ true, PACKET, ahead);
  }

  @Test
  void shouldRefuseToStartWithTooFewDescriptors(@TempDir Path directory) {
    NodeProcess.Refusal refusal =
        NodeProcess.refused(
            directory, Surroundings.shell("ulimit -n 200"), directory.resolve("data"));

    assertThat(refusal.exitCode()).isEqualTo(ExitCode.CANT_START.number());
    assertThat(refusal.output())
        .contains(
            "descriptors: 200 (expected: >= 256): raise the limit where the node is started:"
                + " `ulimit -n 100000` in a shell, LimitNOFILE=100000 in systemd");
  }

  @Test
  void shouldRaiseTheLimitOfDescriptorsAsFarAsItMay(@TempDir Path directory) throws IOException {
    try (NodeProcess node =
        NodeProcess.start(directory, Surroundings.shell("ulimit -Sn 300 && ulimit -Hn 900"))) {
      assertThat(Files.readString(Path.of("/proc/" + node.pid() + "/limits")))
          .containsPattern("Max open files +900 +900 ");
    }
  }

  /** Who comes too late is told so; files, journal and status have what is kept for them. */
  @Test
  void shouldTurnConnectionsAwayWhenDescriptorsAreShort(@TempDir Path directory) throws Exception {
    try (NodeProcess node = NodeProcess.start(directory, Surroundings.shell("ulimit -n 400"))) {
      RawPut half = put("half", PACKET);
      assertThat(half.run(node.address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);
      List<PacketSocket> crowd = new ArrayList<>();
      try {
        for (int i = 0; i < MOST_AT_400; i++) {
          crowd.add(new PacketSocket(node.address()));
        }
        PacketSocket last = crowd.get(MOST_AT_400 - 1);
        last.info("LIST\n");
        assertThat(last.next()).matches(ShortageTest::isServed);
        for (int i = 0; i < 50; i++) {
          try (PacketSocket late = new PacketSocket(node.address())) {
            assertThat(late.next())
                .isEqualTo(
                    new Refused(
                        "busy: "
                            + MOST_AT_400
                            + " connections are open (expected: no more, by the limit of open"
                            + " files)"));
          }
        }
        // a flood that reads nothing: some are told, the others are cut, all within what is kept
        for (int i = 0; i < 500; i++) {
          try {
            crowd.add(new PacketSocket(node.address()));
          } catch (SocketException e) {
            // cut already
          }
        }
        // and status answers; before, one of them might take the place that comes free
        await("all of them were turned away")
            .atMost(Duration.ofMinutes(1))
            .until(
                () -> node.status().counters().getOrDefault("connections-refused", 0L) == 50 + 500);
        crowd.remove(0).close();
        await("a place is free")
            .atMost(Duration.ofMinutes(1))
            .ignoreExceptionsInstanceOf(IOException.class)
            .until(() -> PacketSocket.ask(node.address(), "LIST\n"), ShortageTest::isServed);
      } finally {
        for (PacketSocket each : crowd) {
          each.close();
        }
      }
      await("places are free")
          .atMost(Duration.ofMinutes(1))
          .ignoreExceptionsInstanceOf(IOException.class)
          .until(() -> PacketSocket.ask(node.address(), "LIST\n"), ShortageTest::isServed);
      assertThat(half.run(node.address())).as(half.loss()).isEqualTo(End.COMPLETE);
      assertThat(node.log()).doesNotContain("Too many open files");
    }
  }

  private static boolean isServed(Packet answer) {
    return answer instanceof Said said && said.verb().equals("LIST");
  }

  /** Thousands of packets that never end: the node ends rather than to live on half. */
  @Test
  void shouldEndAndRecoverWhenTheHeapIsFull(@TempDir Path directory) throws Exception {
    try (NodeProcess node =
        NodeProcess.start(
            directory, Surroundings.flags("-Xmx64m", "-XX:+ExitOnOutOfMemoryError"))) {
      assertThat(put("old", Long.MAX_VALUE).run(node.address())).isEqualTo(End.COMPLETE);
      RawPut half = put("half", PACKET);
      assertThat(half.run(node.address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);
      byte[] packet = ByteBuffer.allocate(5 + 60_000).put((byte) 2).putInt(65_536).array();
      List<Socket> crowd = new ArrayList<>();
      try {
        overfill(node, crowd, packet);

        // the crowd stays until then: a busy node reads what they sent later
        node.awaitEnd(OUT_OF_MEMORY);
      } finally {
        for (Socket each : crowd) {
          each.close();
        }
      }
      assertThat(node.log()).contains("Terminating due to java.lang.OutOfMemoryError");
      node.restart();
      assertThat(half.run(node.address())).as(half.loss()).isEqualTo(End.COMPLETE);
      assertThat(new RawGet("old", CONTENT, 1 << 20, PACKET).run(node.address()))
          .isEqualTo(End.COMPLETE);
    }
  }

  private static void overfill(NodeProcess node, List<Socket> crowd, byte[] packet) {
    try {
      for (int i = 0; i < 2000; i++) {
        Socket socket = new Socket(node.address().getAddress(), node.address().getPort());
        crowd.add(socket);
        socket.getOutputStream().write(packet);
      }
    } catch (IOException e) {
      // it is gone
    }
  }

  /** The limit of a user's threads doesn't hold for root, so the node is somebody else's. */
  @Test
  void shouldEndAndRecoverWhenNoThreadCanBeStarted(@TempDir Path directory) throws Exception {
    String as = "setpriv --reuid 61234 --regid 61234 --clear-groups ";
    String mayWrite = "--inh-caps=+dac_override --ambient-caps=+dac_override ";
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "not root");
    Files.setAttribute(directory, "unix:uid", 61234);
    try (NodeProcess node =
        NodeProcess.start(directory, Surroundings.shell("set -- " + as + mayWrite + "\"$@\""))) {
      RawPut half = put("half", PACKET);
      assertThat(half.run(node.address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);
      Process limit =
          new ProcessBuilder("sh", "-c", as + "prlimit --pid " + node.pid() + " --nproc=1:1")
              .inheritIO()
              .start();
      assertThat(limit.waitFor()).isZero();

      node.awaitEnd(ExitCode.INTERNAL.number());

      assertThat(node.log()).contains("threads: none can be started (expected: room for some more");
      node.restart();
      assertThat(half.run(node.address())).as(half.loss()).isEqualTo(End.COMPLETE);
    }
  }

  @Test
  void shouldShedLoadWhenThereIsNoDirectMemory(@TempDir Path directory) throws Exception {
    try (NodeProcess node =
        NodeProcess.start(directory, Surroundings.flags("-XX:MaxDirectMemorySize=6m"))) {
      List<RawTransfer> crowd = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        crowd.add(new RawPut("f" + i, Content.random(i, 8 << 20), true, 1 << 20, Long.MAX_VALUE));
      }
      ExecutorService clients = Executors.newFixedThreadPool(crowd.size());
      try {
        List<Future<String>> ends = new ArrayList<>();
        for (RawTransfer each : crowd) {
          ends.add(
              clients.submit(
                  () -> {
                    try {
                      return each.run(node.address()).toString();
                    } catch (RefusedException e) {
                      return String.valueOf(e.getMessage());
                    }
                  }));
        }
        List<String> hows = new ArrayList<>();
        for (Future<String> end : ends) {
          String how = end.get();
          // lost: who doesn't read within 2 s what it is told
          assertThat(how).as("%s", node.log()).matches("COMPLETE|LOST|busy: .*");
          hows.add(how);
        }
        assertThat(hows).anyMatch(how -> how.startsWith("busy: no memory for another buffer "));
      } finally {
        clients.shutdownNow();
      }
      assertThat(node.status().node()).as("status answers").isEqualTo("node1");
      for (RawTransfer each : crowd) {
        assertThat(each.run(node.address())).as(each.loss()).isEqualTo(End.COMPLETE);
      }
    }
  }
}
