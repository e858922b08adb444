package io.theseus.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to open a directory's database, held by one owner in one process.
 *
 * <p>LevelDB has a lock of its own, but POSIX drops all locks of a process on a file as soon as the
 * process closes any descriptor of it, and a second attempt within the process opens and closes
 * that file: it fails, and takes the first one's lock away with it. So this one is asked before.
 */
final class DirectoryLock implements AutoCloseable {
  private static final String NAME = "theseus.lock";

  /** Directories open in this process; static as the operating system's locks are the process's. */
  private static final Set<Path> HELD_HERE = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final FileChannel file;

  private DirectoryLock(Path directory, FileChannel file) {
    this.directory = directory;
    this.file = file;
  }

  /**
   * Takes the lock of an existing directory.
   *
   * @throws JournalException naming the directory and the process that has it
   */
  static DirectoryLock take(Path directory) throws IOException {
    Path real = directory.toRealPath();
    if (!HELD_HERE.add(real)) {
      throw inUse(directory, "this process");
    }
    FileChannel file = null;
    try {
      file =
          FileChannel.open(
              real.resolve(NAME),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      if (file.tryLock() == null) {
        throw inUse(directory, "process " + owner(file));
      }
      byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
      file.truncate(0);
      file.write(ByteBuffer.wrap(pid), 0);
      return new DirectoryLock(real, file);
    } catch (IOException | RuntimeException e) {
      if (file != null) {
        file.close();
      }
      HELD_HERE.remove(real);
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    try {
      file.close();
    } finally {
      HELD_HERE.remove(directory);
    }
  }

  private static JournalException inUse(Path directory, String owner) {
    return new JournalException(
        "journal "
            + directory
            + ": in use by "
            + owner
            + " (expected: one process for each directory); stop it, or set another"
            + " theseus.data-dir");
  }

  private static String owner(FileChannel file) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(32);
    int read = file.read(text, 0);
    String pid = new String(text.array(), 0, Math.max(read, 0), StandardCharsets.US_ASCII).strip();
    return pid.isEmpty() ? "unknown" : pid;
  }
}
