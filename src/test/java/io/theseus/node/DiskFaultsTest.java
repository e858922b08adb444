package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket;
import io.theseus.testing.SmallDisk;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Disks that are full, out of inodes or read-only; row 8 of the faults: refused with a clear error,
 * old content kept, reads go on, recovers when space is back.
 *
 * <p>A node's whole disk, or its journal's alone, is a file system of a limited size.
 */
@Tag("once") // says nothing of a version of Java
final class DiskFaultsTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 24 * MIB;

  private final byte[] old = new byte[MIB];
  private final byte[] content = new byte[SIZE];
  private Path directory;

  @BeforeEach
  void make(@TempDir Path temporary) {
    new Random(9).nextBytes(content);
    directory = temporary;
  }

  private SmallDisk tmpfs(String options) throws IOException {
    return SmallDisk.tmpfs(directory.resolve("disk"), options);
  }

  private static Node open(Path data, String... more) throws Exception {
    SettingsSource source =
        SettingsSource.defaults()
            .set("data-dir=" + data)
            .set("packets.port=0")
            .set("cluster.port=0");
    for (String pair : more) {
      source.set(pair);
    }
    return Node.start(source.read(), Steps.NONE);
  }

  @Test
  void shouldRefuseKeepServeAndRecoverWhenTheDiskIsFull() throws Exception {
    try (SmallDisk disk = tmpfs("size=220m");
        Node node = open(disk.path().resolve("data"))) {
      put(node, "PUT name\nSize: " + MIB + "\n", old);
      Path ballast = disk.fill(70L * MIB);
      assertThat(refusal(node, "PUT name\nSize: " + SIZE + "\n"))
          .matches(
              "no-space: \"name\" needs 25165824 bytes \\(expected: <= \\d+, which is what uploads"
                  + " may still use; 67108864 stay free\\)");
      // of unknown size: refused when it does not fit any more
      String session = "PUT name\nSession: " + UUID.randomUUID() + "\n";
      assertThat(sendUntilRefused(node, session))
          .matches("no-space: \"name\" needs \\d+ bytes \\(expected: <= \\d+, which is .*");
      assertOldContent(node);
      Files.delete(ballast);
      put(node, session, content);
      assertThat(disk.path().resolve("data/files/name")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldRefuseKeepServeAndRecoverWhenThereAreNoInodes() throws Exception {
    try (SmallDisk disk = tmpfs("size=220m,nr_inodes=200");
        Node node = open(disk.path().resolve("data"))) {
      put(node, "PUT name\nSize: " + MIB + "\n", old);
      List<Path> all = new ArrayList<>();
      try {
        while (true) {
          all.add(Files.createFile(disk.path().resolve("inode-" + all.size())));
        }
      } catch (FileSystemException e) {
        assertThat(e).hasMessageContaining("No space left");
      }
      assertThat(refusal(node, "PUT name\nSize: " + SIZE + "\n"))
          .matches("no-space: \"name\": .*No space left on device.*\\(expected: .*\\)");
      assertOldContent(node);
      for (Path each : all) {
        Files.delete(each);
      }
      put(node, "PUT name\nSize: " + SIZE + "\n", content);
      assertThat(disk.path().resolve("data/files/name")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldRefuseKeepAndServeWhenTheDiskBecomesReadOnly() throws Exception {
    Path data = directory.resolve("data");
    String session = "PUT new\nSession: " + UUID.randomUUID() + "\nSize: " + SIZE + "\n";
    try (SmallDisk disk = SmallDisk.ext4(directory.resolve("disk"), 200L * MIB);
        Node node = open(data, "store.root=" + disk.path())) {
      put(node, "PUT name\nSize: " + MIB + "\n", old);
      disk.breakDown();
      for (String command : List.of("PUT name\nSize: " + SIZE + "\n", "DELETE name\n", session)) {
        assertThat(refusal(node, command))
            .matches(
                "internal: \"(name|new)\": .*Read-only file system"
                    + " \\(expected: a disk that can be read and written\\)");
      }
      assertOldContent(node);
      assertThat(disk.path().resolve("new")).doesNotExist();
    }
    // repaired
    try (SmallDisk disk = SmallDisk.tmpfs(directory.resolve("disk"), "size=200m");
        Node node = open(data, "store.root=" + disk.path())) {
      put(node, session, content);
      assertThat(disk.path().resolve("new")).hasBinaryContent(content);
    }
  }

  @Test
  void shouldRefuseMarksAloneWhenTheDiskOfTheJournalIsFull() throws Exception {
    Path files = Files.createDirectories(directory.resolve("files"));
    try (SmallDisk disk = tmpfs("size=120m");
        Node node = open(disk.path().resolve("data"), "store.root=" + files)) {
      put(node, "PUT name\nSize: " + MIB + "\n", old);
      Path ballast = disk.fill(4L * MIB);
      String session = "PUT name\nSession: " + UUID.randomUUID() + "\n";
      assertThat(sendUntilRefused(node, session))
          .matches("internal: .*journal .*: free space: \\d+ bytes \\(expected: >= \\d+\\).*");
      assertOldContent(node);
      // what needs no mark is served, too
      put(node, "PUT small\nSize: 1000\n", new byte[1000]);
      Files.delete(ballast);
      put(node, session, content);
      assertThat(files.resolve("name")).hasBinaryContent(content);
    }
  }

  // ---- clients

  private static String refusal(Node node, String command) throws IOException {
    try (RawClient client = RawClient.connect(node)) {
      return client.info(command).error();
    }
  }

  private static void put(Node node, String command, byte[] bytes) throws IOException {
    try (RawClient client = RawClient.connect(node)) {
      RawClient.Sending sending = client.put(command);
      client.write(sending, bytes, bytes.length);
      if (!command.contains("Size")) {
        client.info("END\nSize: " + bytes.length + "\n");
      }
      client.complete(sending, bytes.length);
    }
  }

  private void assertOldContent(Node node) throws IOException {
    try (RawClient client = RawClient.connect(node)) {
      client.info("GET name\nWindow: " + MIB + "\n").expect("READY");
      byte[] read = new byte[MIB];
      client.read(read, 0, MIB);
      client.expect("COMPLETE");
      assertThat(read).as("the old content").isEqualTo(old);
    }
  }

  /** Sends without looking until an ERROR comes. */
  private String sendUntilRefused(Node node, String command) throws IOException {
    try (RawClient client = RawClient.connect(node)) {
      client.info(command).expect("READY");
      long acked = client.expectOffset().offset();
      long sent = acked;
      while (true) {
        while (sent + MIB <= acked + 8L * MIB && sent + MIB <= SIZE) {
          client.data(sent, content, (int) sent, MIB);
          sent += MIB;
        }
        PacketSocket.Packet packet = client.next();
        if (packet instanceof PacketSocket.Refused refused) {
          return refused.text();
        }
        acked = ((PacketSocket.Offset) packet).offset();
      }
    }
  }
}
