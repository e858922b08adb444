package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import javax.management.ObjectName;
import javax.management.openmbean.TabularData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node did is counted, once each. */
final class CountersTest {
  private static final byte[] CONTENT = new byte[3000];

  @Test
  void shouldCountWhatClientsDid(@TempDir Path directory) throws Exception {
    Files.createDirectories(directory.resolve("files"));
    Files.write(directory.resolve("files/in"), CONTENT);
    try (Node node =
        Node.start(
            SettingsSource.defaults()
                .set("node.id=counting")
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("cluster.port=0")
                .set("session.mark-bytes=1 MiB")
                .read(),
            Steps.NONE)) {
      assertThat(node.status().counters()).containsEntry("connections-open", 0L);
      try (RawClient client = RawClient.connect(node)) {
        RawClient.Sending sending = client.put("PUT out\n");
        client.write(sending, CONTENT, 1000);
        // a mark each; the end needs none
        assertThat(client.expectOffset().offset()).isEqualTo(1000);
        client.data(1000, CONTENT, 1000, 2000).info("END\nSize: 3000\n");
        PacketSocket.Packet last = client.next();
        while (last instanceof PacketSocket.Offset) {
          last = client.next();
        }
        assertThat(((PacketSocket.Said) last).verb()).isEqualTo("COMPLETE");
        client.info("GET in\nWindow: 10000\n").expect("READY");
        client.read(new byte[3000], 0, 3000);
        client.expect("COMPLETE");
        await()
            .untilAsserted(
                () ->
                    assertThat(node.status().counters())
                        .containsEntry("connections-open", 1L)
                        .containsEntry("connections-accepted", 1L)
                        .containsEntry("uploads-begun", 1L)
                        .containsEntry("uploads-completed", 1L)
                        .containsEntry("downloads-begun", 1L)
                        .containsEntry("downloads-completed", 1L)
                        .containsEntry("bytes-received", 3000L)
                        .containsEntry("bytes-sent", 3000L)
                        .containsEntry("connections-refused", 0L));
        assertThat(node.status().counters().get("checkpoints")).isPositive();
        assertThat(node.status().counters().get("marks")).isPositive();
        assertThat(node.status().counters().get("journal-syncs")).isPositive();
        assertThat(node.status().errors()).isEmpty();
      }
      try (RawClient client = RawClient.connect(node)) {
        client.info("STAT nothing\n");
        client.error();
      }
      try (RawClient client = RawClient.connect(node)) {
        client.info("GET in\nOffset: 4000\n");
        client.error();
      }
      assertThat(node.status().errors()).isEqualTo(Map.of("not-found", 1L, "bad-offset", 1L));
      assertThat(node.status().failures()).isEqualTo(Map.of("bad-offset", 1L));
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () -> assertThat(node.status().counters()).containsEntry("connections-open", 0L));

      TabularData counters =
          (TabularData)
              ManagementFactory.getPlatformMBeanServer()
                  .getAttribute(new ObjectName("io.theseus:type=Node,node=counting"), "Counters");
      assertThat(counters.get(new Object[] {"connections-accepted"}).get("value")).isEqualTo(3L);
    }
  }
}
