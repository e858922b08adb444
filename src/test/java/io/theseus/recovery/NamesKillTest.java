package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.PacketSocket;
import io.theseus.testing.ProcessCluster;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Three processes, one of which is killed while it changes a name for all, or lets go of what
 * another one has changed. Whoever it was, in the end all of them say the same of the name.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class NamesKillTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int PACKET = 32 << 10;
  private static ProcessCluster cluster;
  private static int number;

  /** Who is killed, and at which step of what. */
  record Death(String point, boolean here, boolean delete) {
    @Override
    public String toString() {
      return (here ? "who changes" : "who lets go") + " at " + point;
    }
  }

  static Stream<Death> deaths() {
    return Stream.of(
        new Death("delete.buried", /* here= */ true, /* delete= */ true),
        new Death("supersede.removed", /* here= */ true, /* delete= */ true),
        new Death("supersede.removed", /* here= */ false, /* delete= */ true),
        new Death("names.announced", /* here= */ true, /* delete= */ false));
  }

  @BeforeAll
  static void start(@TempDir Path directory) {
    cluster = ProcessCluster.start(3, directory, "backup.factor=2");
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static void put(NodeProcess node, String name, Content content) {
    RawPut put = new RawPut(name, content, /* sized= */ true, PACKET, 1 << 20);
    await("it completes")
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> put.run(node.address()) == RawTransfer.End.COMPLETE);
  }

  /** What a node says of a name: its identity, or the code of an ERROR. */
  private static String stat(NodeProcess node, String name) throws IOException {
    return ask(node, "STAT " + name + "\n");
  }

  private static String ask(NodeProcess node, String command) throws IOException {
    try (PacketSocket socket = new PacketSocket(node.address())) {
      socket.info(command);
      while (true) {
        PacketSocket.Packet packet = socket.next();
        if (packet instanceof PacketSocket.Refused refused) {
          return refused.text().substring(0, refused.text().indexOf(':'));
        } else if (!PacketSocket.isRemark(packet)) {
          return ((PacketSocket.Said) packet).field("Identity");
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("deaths")
  void shouldSayTheSameEverywhere(Death death) throws Exception {
    cluster.awaitAll();
    String name = "name-" + number++;
    Content old = Content.random(number, 100_000);
    put(cluster.node(1), name, old);
    String before = stat(cluster.node(2), name);
    NodeProcess dying = cluster.node(death.here() ? 1 : 2);
    dying.haltAt(death.point());
    if (death.delete()) {
      try {
        assertThat(ask(cluster.node(1), "DELETE " + name + "\n"))
            .as("the one that lets go is not waited for when it is dead")
            .isEqualTo(before);
        assertThat(death.here()).isFalse();
      } catch (IOException e) {
        assertThat(death.here()).as("the connection to who died").isTrue();
      }
    } else {
      RawPut next =
          new RawPut(name, Content.random(-number, 100_000), /* sized= */ true, PACKET, 1 << 20);
      Thread sender =
          new Thread(
              () ->
                  await("it completes")
                      .atMost(PATIENCE)
                      .ignoreExceptions()
                      .until(
                          () -> next.run(cluster.node(1).address()) == RawTransfer.End.COMPLETE));
      sender.start();
      dying.awaitDeath();
      dying.haltAt("");
      dying.restart();
      sender.join();
    }
    if (death.delete()) {
      dying.awaitDeath();
      dying.haltAt("");
      dying.restart();
    }
    cluster.awaitAll();
    List<String> said = new ArrayList<>();
    await("all say the same")
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () -> {
              said.clear();
              for (NodeProcess node : cluster.nodes()) {
                said.add(stat(node, name));
              }
              return said.stream().distinct().count() == 1 && !said.get(0).equals("busy");
            });
    if (death.point().equals("supersede.removed") && death.here()) {
      // nothing was said and nothing remembered: either is right
      assertThat(said.get(0)).isIn("not-found", before);
    } else if (death.delete()) {
      assertThat(said).containsOnly("not-found");
    } else {
      assertThat(said).doesNotContain(before, "not-found");
    }
  }
}
