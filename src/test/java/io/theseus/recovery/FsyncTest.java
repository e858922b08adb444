package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.store.Fsync;
import io.theseus.testing.PowerDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What an fsync says behind one that failed for somebody else: found by a cut of the power, behind
 * which an upload that was COMPLETE was gone.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class FsyncTest {
  private static final long DISK_BYTES = 256L << 20;

  @Test
  void shouldNotBelieveOneBehindAFileSystemThatGaveUp(@TempDir Path directory) throws IOException {
    try (PowerDisk disk = PowerDisk.format(directory.resolve("disk"), DISK_BYTES, "")) {
      Path part = Files.createDirectory(disk.path().resolve("staging")).resolve("part");
      try (FileChannel other = open(disk.path().resolve("other"));
          FileChannel file = open(part);
          FileChannel names = FileChannel.open(disk.path(), StandardOpenOption.READ)) {
        other.force(true);
        file.force(true);
        names.force(true);
        Fsync.requireStanding(disk.path());
        Files.move(part, disk.path().resolve("name"));
        other.write(ByteBuffer.allocate(5000));
        disk.cut();
        assertThatThrownBy(() -> other.force(true)).isInstanceOf(IOException.class);
        // the name is as good as gone, and whoever asks first may be told; the next one is not
        try {
          names.force(true);
        } catch (IOException told) {
          // or was told with the other one
        }
        names.force(true);
        assertThatThrownBy(() -> Fsync.requireStanding(disk.path()))
            .isInstanceOf(IOException.class)
            .hasMessageStartingWith("the file system has given up writing")
            .hasMessageEndingWith("(expected: one that takes writes)");
      }
      disk.revive("");
      assertThat(disk.path().resolve("name")).doesNotExist();
    }
  }

  private static FileChannel open(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    channel.write(ByteBuffer.allocate(10));
    return channel;
  }
}
