package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.admin.NodeStatus.Part;
import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.PacketSocket;
import io.theseus.testing.PacketSocket.Refused;
import io.theseus.testing.PacketSocket.RefusedException;
import io.theseus.testing.RawGet;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import io.theseus.testing.RawTransfer.End;
import io.theseus.testing.Strace;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Row 9 of the faults: a sync that fails. The node stops writing and says so, to clients and in its
 * status; it never asks again, not even when the disk is sound again, because what a failed sync
 * dropped a second one would not find. It goes on reading, and loses nothing.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class SyncErrorTest {
  private static final int PACKET = 64 << 10;
  private static final Content CONTENT = Content.random(30, 1 << 20);
  private static final String DISK =
      "internal: the disk failed to sync: Input/output error (expected: a sound disk; check it and"
          + " restart the node)";

  private static final String JOURNAL =
      "internal: the session failed and is kept \\(expected: no failure\\): .*Input/output error";

  private Path directory;
  private NodeProcess node;
  private RawPut half;

  @BeforeEach
  void start(@TempDir Path temporary) {
    directory = temporary;
    // a client that pauses on a busy machine is no reason for a mark
    node = NodeProcess.start(temporary.resolve("node"), "packets.checkpoint-delay=250ms");
    assertThat(put("old", Long.MAX_VALUE).run(node.address())).isEqualTo(End.COMPLETE);
    half = put("half", PACKET);
    assertThat(half.run(node.address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private static RawPut put(String name, long ahead) {
    return new RawPut(name, CONTENT, /* sized= */ true, PACKET, ahead);
  }

  private void assertRefused(RawTransfer transfer, String text) {
    assertThatThrownBy(() -> transfer.run(node.address()))
        .isInstanceOf(RefusedException.class)
        .hasMessage(text);
  }

  private Part part(String name) {
    return node.status().parts().stream()
        .filter(part -> part.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private void assertReads() {
    assertThat(new RawGet("old", CONTENT, 1 << 20, PACKET).run(node.address()))
        .isEqualTo(End.COMPLETE);
  }

  private void assertAllIsWellAfterARestart() {
    long acknowledged = half.acknowledged();
    node.kill();
    node.restart();
    assertThat(half.run(node.address())).as(half.loss()).isEqualTo(End.COMPLETE);
    assertThat(half.begunAt().get(half.begunAt().size() - 1)).isGreaterThanOrEqualTo(acknowledged);
    assertReads();
    assertThat(node.status().isNormal()).isTrue();
  }

  @Test
  void shouldStopWritingWhenTheDiskFailsToSync() throws Exception {
    try (Strace broken = Strace.attach(directory, node.pid(), "fsync,fdatasync", "error=EIO")) {
      assertRefused(half, DISK);
      assertRefused(half, DISK);
      assertRefused(put("new", Long.MAX_VALUE), DISK);
      assertThat(broken.calls()).as("syncs of the files").hasSize(1);
    }

    assertRefused(put("small", Long.MAX_VALUE), DISK);
    assertThat(((Refused) PacketSocket.ask(node.address(), "DELETE old\n")).text()).isEqualTo(DISK);
    assertReads();
    assertThat(part("disk"))
        .isEqualTo(
            new Part(
                "disk",
                "failed",
                "uploads and deletions are refused until the node is started again: "
                    + DISK.substring("internal: ".length())));
    assertThat(node.log()).contains("uploads stop: the disk failed to sync: Input/output error");
    assertAllIsWellAfterARestart();
  }

  @Test
  void shouldAcknowledgeNothingWhenTheJournalFailsToSync() throws Exception {
    try (Strace broken = Strace.attach(directory, node.pid(), "msync", "error=EIO")) {
      assertThatThrownBy(() -> half.run(node.address()))
          .isInstanceOf(RefusedException.class)
          .hasMessageMatching(JOURNAL);
      assertThat(broken.calls()).as("syncs of the journal").hasSize(1);
    }

    assertThatThrownBy(() -> half.run(node.address()))
        .isInstanceOf(RefusedException.class)
        .hasMessageMatching(JOURNAL);
    assertThat(part("journal").state()).isEqualTo("failed");
    assertThat(part("journal").reason())
        .startsWith(
            "uploads are not acknowledged until the node is started again: journal "
                + node.journal()
                + ": failed, takes no writes until the node is started again: ");
    // what needs no mark is as durable as ever
    assertThat(put("new", Long.MAX_VALUE).run(node.address())).isEqualTo(End.COMPLETE);
    assertReads();
    assertAllIsWellAfterARestart();
  }
}
