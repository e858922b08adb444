package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.channel.Direction;
import io.theseus.channel.FairnessPolicy;
import io.theseus.module.Revision;
import io.theseus.module.TestRevisions;
import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Transfers over TCP on a node whose bandwidth is limited. */
final class FairnessTest {
  private static final int SIZE = 300_000;

  private final byte[] content = new byte[SIZE];
  private Path files;
  private Node node;
  private InetSocketAddress address;

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("cluster.port=0")
                .set("session.bandwidth=1 MiB")
                .read(),
            Steps.NONE);
    String packets = node.packetsAddress().orElseThrow();
    address =
        new InetSocketAddress(
            InetAddress.getLoopbackAddress(),
            Integer.parseInt(packets.substring(packets.lastIndexOf(':') + 1)));
    new Random(7).nextBytes(content);
    files = directory.resolve("files");
    Files.write(files.resolve("a"), content);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private void get(PacketSocket socket) throws IOException {
    byte[] read = new byte[SIZE];
    int at = 0;
    while (at < SIZE) {
      PacketSocket.Data data = (PacketSocket.Data) socket.take();
      System.arraycopy(data.bytes(), 0, read, at, data.bytes().length);
      at += data.bytes().length;
      socket.offset(at);
    }
    socket.take("COMPLETE");
    assertThat(read).isEqualTo(content);
  }

  private PacketSocket beginGet() throws IOException {
    PacketSocket socket = new PacketSocket(address);
    socket.info("GET a\nWindow: 1000000\n");
    socket.take("READY");
    return socket;
  }

  private void put(String name) throws IOException {
    try (PacketSocket socket = new PacketSocket(address)) {
      socket.info("PUT " + name + "\nSize: " + SIZE + "\n");
      socket.take("READY");
      socket.take();
      for (int at = 0; at < SIZE; at += 50_000) {
        socket.data(at, content, at, 50_000);
      }
      PacketSocket.Packet packet;
      do {
        packet = socket.take();
      } while (packet instanceof PacketSocket.Offset);
      assertThat(((PacketSocket.Said) packet).verb()).isEqualTo("COMPLETE");
    }
    assertThat(files.resolve(name)).hasBinaryContent(content);
  }

  @Test
  void shouldMoveAllWithoutAPolicyAndUnderCodeOfModules() throws Exception {
    try (PacketSocket first = beginGet();
        PacketSocket second = beginGet()) {
      put("b");
      get(second);
      get(first);
    }
    Revision revision = TestRevisions.functions("functions", List.of());
    node.switchboard().publish(revision, Optional.empty(), Revision.builtIn());
    try (PacketSocket first = beginGet()) {
      put("c");
      get(first);
    }
  }

  @Test
  void shouldDivideAsThePolicySays() throws Exception {
    List<String> served = new CopyOnWriteArrayList<>();
    node.switchboard()
        .publish(
            TestRevisions.fairness(
                "fair", () -> (budget, demands) -> share(budget, demands, served), forever()),
            Optional.empty(),
            Revision.builtIn());
    try (PacketSocket waiting = beginGet()) {
      put("first");
      get(waiting);
    }
    assertThat(served).containsExactly("PUT first", "GET a");
  }

  private static Duration forever() {
    return Duration.ofMinutes(5);
  }

  /** Nothing for GETs before a PUT has been served and is gone. */
  private static long[] share(
      long budget, List<FairnessPolicy.Demand> demands, List<String> served) {
    long[] shares = new long[demands.size()];
    Optional<FairnessPolicy.Demand> put =
        demands.stream().filter(each -> each.session().direction() == Direction.PUT).findFirst();
    Optional<FairnessPolicy.Demand> chosen =
        put.isPresent() || served.isEmpty() ? put : Optional.of(demands.get(0));
    if (chosen.isPresent()) {
      int which = demands.indexOf(chosen.get());
      shares[which] = Math.min(budget, chosen.get().wanted());
      String name = chosen.get().session().direction() + " " + chosen.get().session().name();
      if (served.isEmpty() || !served.get(served.size() - 1).equals(name)) {
        served.add(name);
      }
    }
    assertThat(Arrays.stream(shares).sum()).isLessThanOrEqualTo(budget);
    return shares;
  }
}
