package io.theseus.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file system of its own, which can run full, out of inodes, or fail; unmounted at the end.
 *
 * <p>A test is skipped where none can be mounted.
 */
public final class SmallDisk implements AutoCloseable {
  private final Path path;

  private SmallDisk(Path path) {
    this.path = path;
  }

  /**
   * One in memory.
   *
   * @param options of the mount: {@code size=4m}, {@code size=4m,nr_inodes=12}
   */
  public static SmallDisk tmpfs(Path at, String options) throws IOException {
    Files.createDirectories(at);
    return mounted(at, "mount", "-t", "tmpfs", "-o", options, "tmpfs", at.toString());
  }

  /** One of ext4, in an image beside it. */
  public static SmallDisk ext4(Path at, long bytes) throws IOException {
    Files.createDirectories(at);
    Path image = at.resolveSibling(at.getFileName() + ".image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(bytes);
    }
    assumeTrue(run("mkfs.ext4", "-q", image.toString()) == 0, "no mkfs.ext4: skipped");
    return mounted(at, "mount", "-o", "loop,errors=remount-ro", image.toString(), at.toString());
  }

  private static SmallDisk mounted(Path at, String... command) throws IOException {
    assumeTrue(
        run(command) == 0, "a disk of a limited size needs a mount, which needs root: skipped");
    return new SmallDisk(at);
  }

  public Path path() {
    return path;
  }

  /** Bytes that a user may still write. */
  public long usable() {
    return path.toFile().getUsableSpace();
  }

  /** Takes all room but so many bytes; gives the file to delete. */
  public Path fill(long left) throws IOException {
    Path ballast = path.resolve("ballast");
    byte[] piece = new byte[1 << 20];
    try (var out = Files.newOutputStream(ballast)) {
      for (long room = usable() - left; room > 0; room -= piece.length) {
        out.write(piece, 0, (int) Math.min(piece.length, room));
      }
    }
    return ballast;
  }

  /** Mounts it anew: {@code ro}, {@code rw}, {@code size=...}; {@code ro} while nobody writes. */
  public void remount(String option) throws IOException {
    assertThat(run("mount", "-o", "remount," + option, path.toString())).isZero();
  }

  /** ext4: what the kernel does when it finds the disk broken; read-only from now on. */
  public void breakDown() throws IOException {
    String device = output("findmnt", "-no", "SOURCE", path.toString()).strip();
    Path trigger =
        Path.of("/sys/fs/ext4", Path.of(device).getFileName().toString(), "trigger_fs_error");
    assumeTrue(Files.isWritable(trigger), "the kernel lets nobody break a disk: skipped");
    Files.writeString(trigger, "1");
  }

  @Override
  public void close() throws IOException {
    assertThat(run("umount", "-l", path.toString())).isZero();
  }

  private static int run(String... command) throws IOException {
    return start(command).onExit().join().exitValue();
  }

  private static String output(String... command) throws IOException {
    return new String(start(command).getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static Process start(String... command) throws IOException {
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }
}
