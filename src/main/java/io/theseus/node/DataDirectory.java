package io.theseus.node;

import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The directory of one node, locked for as long as this object is open.
 *
 * <p>{@code lock} holds the owner's process id and node id for whoever is refused; {@code run/} is
 * for what is true only while the node runs.
 */
public final class DataDirectory implements AutoCloseable {
  /**
   * The directories that this process holds. A record lock belongs to the process, and closing any
   * descriptor of the file drops it (fcntl(2)): a second node in this process must be refused
   * before it opens the file.
   */
  private static final Map<Path, String> HELD = new ConcurrentHashMap<>();

  private static final int MOST_OWNER_BYTES = 200;

  private final Path path;
  private final Path real;
  private final FileChannel channel;

  private DataDirectory(Path path, Path real, FileChannel channel) {
    this.path = path;
    this.real = real;
    this.channel = channel;
  }

  /**
   * Creates the directory where it is missing, owner only, and locks it.
   *
   * @throws StartException when it can't be created, or is in use, naming its owner
   */
  public static DataDirectory open(Path path, String nodeId) throws StartException {
    Path real;
    try {
      create(path);
      real = path.toRealPath();
      create(real.resolve("run"));
    } catch (IOException e) {
      throw new StartException(
          "theseus.data-dir: "
              + Texts.quote(path.toString())
              + " (expected: a directory that can be written): "
              + reason(e),
          e);
    }
    String me = ProcessHandle.current().pid() + " " + nodeId;
    String holder = HELD.putIfAbsent(real, me);
    if (holder != null) {
      throw inUse(path, holder);
    }
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              real.resolve("lock"),
              Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      FileLock lock = channel.tryLock();
      if (lock == null) {
        throw inUse(path, read(channel));
      }
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(me.getBytes(StandardCharsets.UTF_8)), 0);
      return new DataDirectory(path, real, channel);
    } catch (IOException e) {
      release(real, channel);
      throw new StartException(
          "theseus.data-dir: "
              + Texts.quote(path.toString())
              + " (expected: a directory that can be locked): "
              + reason(e),
          e);
    } catch (StartException e) {
      release(real, channel);
      throw e;
    }
  }

  /** The directory, as it was named. */
  public Path path() {
    return path;
  }

  /** What is true only while the node runs. */
  public Path run() {
    return real.resolve("run");
  }

  /** Lets another node have it. */
  @Override
  public void close() {
    release(real, channel);
  }

  private static void release(Path real, @Nullable FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // the descriptor is gone either way, and the lock with it
    } finally {
      HELD.remove(real);
    }
  }

  private static void create(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    if (!Files.isWritable(directory)) {
      throw new AccessDeniedException(directory.toString(), null, "not writable");
    }
  }

  private static String read(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(MOST_OWNER_BYTES);
    channel.read(bytes, 0);
    return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
  }

  private static StartException inUse(Path path, String owner) {
    int space = owner.indexOf(' ');
    String who =
        space > 0
            ? "node "
                + Texts.quote(owner.substring(space + 1))
                + ", process "
                + Texts.escape(owner.substring(0, space))
            : "another process";
    return new StartException(
        "theseus.data-dir: "
            + Texts.quote(path.toString())
            + " is in use by "
            + who
            + " (expected: one node for each directory): stop that node, or give this one another"
            + " theseus.data-dir");
  }

  private static String reason(IOException e) {
    if (e instanceof FileAlreadyExistsException) {
      return "it is not a directory";
    }
    if (e instanceof AccessDeniedException denied) {
      return "no permission for " + Texts.quote(String.valueOf(denied.getFile()));
    }
    return Texts.escape(String.valueOf(e.getMessage()));
  }
}
