package io.theseus.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A disk whose power can be cut: ext4 on a loop device.
 *
 * <p>The device's image is a file in memory (memfd_create(2)). {@link #cut} seals it against writes
 * (F_SEAL_WRITE of fcntl(2)), which the kernel looks at for each page that the device writes. So
 * there is one instant behind which the device takes nothing more: a write that is under way then
 * ends at a page, as on a disk, and everything that the file system still has in its page cache is
 * refused with EIO. Nothing is flushed, nobody is stopped, and the image can be copied at leisure:
 * a copy of a device that goes on writing would have early bytes of one place and late bytes of
 * another, which no power cut leaves. The image of after the cut is what {@link #revive} mounts.
 *
 * <p>What it does not do: the device has no write cache of its own, so what reached it before a
 * flush was asked for is kept; only the page cache above it is lost. {@code noauto_da_alloc} keeps
 * ext4 from flushing of its own accord what is renamed over another file.
 *
 * <p>A test is skipped where none can be mounted.
 */
public final class PowerDisk implements AutoCloseable {
  private static final int MFD_CLOEXEC = 1;
  private static final int MFD_ALLOW_SEALING = 2;
  private static final int F_ADD_SEALS = 1033;
  private static final int EBUSY = 16;
  private static final int F_SEAL_WRITE = 8;

  private final Path path;
  private final long bytes;
  private int image;
  private boolean mounted;

  private PowerDisk(Path path, long bytes) {
    this.path = path;
    this.bytes = bytes;
  }

  /**
   * A fresh one.
   *
   * @param options of the mount besides {@code noauto_da_alloc}: {@code data=writeback}
   */
  public static PowerDisk format(Path at, long bytes, String options) throws IOException {
    Files.createDirectories(at);
    PowerDisk disk = new PowerDisk(at, bytes);
    disk.image = disk.create();
    try {
      assumeTrue(
          run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", disk.file(disk.image)) == 0,
          "no mkfs.ext4: skipped");
      disk.mount(options);
      return disk;
    } catch (IOException | RuntimeException | Error e) {
      disk.close();
      throw e;
    }
  }

  public Path path() {
    return path;
  }

  /** The power goes: from this instant on the device takes nothing. */
  public void cut() {
    // busy while a write is on its way into the image; nothing has happened then
    await("the device has a moment between two writes")
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .atMost(Duration.ofMinutes(1))
        .until(this::seal);
  }

  private boolean seal() {
    try {
      LibC.INSTANCE.fcntl(image, F_ADD_SEALS, F_SEAL_WRITE);
      return true;
    } catch (LastErrorException e) {
      if (e.getErrorCode() == EBUSY) {
        return false;
      }
      throw e;
    }
  }

  /** The power comes back, when nobody uses the dead disk any more. */
  public void revive(String options) throws IOException {
    int copy = create();
    unmount();
    // of the copy the kernel has nothing in memory yet
    assertThat(run("cp", "--sparse=always", file(image), file(copy))).as("exit of cp").isZero();
    LibC.INSTANCE.close(image);
    image = copy;
    mount(options);
  }

  /** Unmounts it and has its structure checked: what a cut left must be what a crash may leave. */
  public void check() throws IOException {
    unmount();
    assertThat(run("e2fsck", "-f", "-n", file(image))).as("exit of e2fsck").isZero();
  }

  @Override
  public void close() throws IOException {
    unmount();
    LibC.INSTANCE.close(image);
  }

  private int create() throws IOException {
    int descriptor = LibC.INSTANCE.memfd_create("power-disk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    LibC.INSTANCE.ftruncate(descriptor, bytes);
    return descriptor;
  }

  private void mount(String options) throws IOException {
    String device = output("losetup", "--find", "--show", file(image)).strip();
    assumeTrue(!device.isEmpty(), "a disk needs a loop device, which needs root: skipped");
    try {
      String all = "noauto_da_alloc" + (options.isEmpty() ? "" : "," + options);
      assumeTrue(
          run("mount", "-o", all, device, path.toString()) == 0,
          "a disk needs a mount, which needs root: skipped");
      mounted = true;
    } finally {
      // it goes with the mount
      run("losetup", "--detach", device);
    }
  }

  private void unmount() throws IOException {
    if (mounted) {
      mounted = false;
      assertThat(run("umount", path.toString())).as("exit of umount").isZero();
    }
  }

  /** As programs find it. */
  private String file(int descriptor) {
    return "/proc/" + ProcessHandle.current().pid() + "/fd/" + descriptor;
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

  /** The calls that Java has not. */
  private interface LibC extends Library {
    LibC INSTANCE = Native.load("c", LibC.class);

    @SuppressWarnings("checkstyle:MethodName") // as the C library names it
    int memfd_create(String name, int flags) throws LastErrorException;

    int ftruncate(int descriptor, long length) throws LastErrorException;

    int fcntl(int descriptor, int command, int argument) throws LastErrorException;

    int close(int descriptor) throws LastErrorException;
  }
}
