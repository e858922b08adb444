package io.theseus.store;

import io.theseus.os.Native;
import io.theseus.wire.FileName;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Small files that were read lately, with their content, so that the next reader of one costs a
 * look at its name instead of an open, a read and a close.
 *
 * <p>What is under the name is compared with what was read: the same inode that has not changed
 * since is the same content. The time of change is the kernel's: nobody can set it, as a PUT or
 * {@code cp -p} sets the time of modification, so a new file that got the inode of an old one
 * differs in it. It tells apart what was done at different ticks of the kernel's clock alone, so a
 * file is kept when it was left alone for {@link #SETTLED} before it was read.
 */
final class SmallFiles {
  /** Files up to so many bytes are read whole when they are opened. */
  static final int MOST = 16 * 1024;

  /** More than the coarsest time stamps of the file systems that are served. */
  static final Duration SETTLED = Duration.ofSeconds(2);

  /** What a file costs beside its bytes, about. */
  private static final int OVERHEAD = 800;

  @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
  private record Small(StoredFile file, byte[] path, Native.Stamp stamp) {}

  private final Map<FileName, Small> byName =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true);
  private final long most;
  private final Clock clock;
  private long bytes;

  /**
   * Keeps nothing yet.
   *
   * @param most bytes to keep, all files together
   */
  SmallFiles(long most, Clock clock) {
    this.most = most;
    this.clock = clock;
  }

  /**
   * A file that is still what it was; null where that isn't so, or isn't known.
   *
   * @param mayWait whether the disk may be asked
   */
  @Nullable StoredFile find(FileName name, boolean mayWait) {
    Small small = find(name);
    return small != null
            && Native.stamp(small.path(), mayWait).filter(small.stamp()::equals).isPresent()
        ? small.file()
        : null;
  }

  private synchronized @Nullable Small find(FileName name) {
    return byName.get(name);
  }

  /**
   * Keeps what was read, those that nobody asked for the longest time giving way.
   *
   * @param file with its content in memory, so that many may have it at once
   * @param path where it is, absolute
   * @param stamp of what was read, before and after that
   */
  synchronized void add(StoredFile file, String path, Native.Stamp stamp) {
    if (stamp.changed().plus(SETTLED).isAfter(clock.instant())) {
      return;
    }
    remove(file.name());
    byName.put(file.name(), new Small(file, Native.terminated(path), stamp));
    bytes += cost(file);
    while (bytes > most) {
      remove(byName.keySet().iterator().next());
    }
  }

  private void remove(FileName name) {
    Small removed = byName.remove(name);
    if (removed != null) {
      bytes -= cost(removed.file());
    }
  }

  private static long cost(StoredFile file) {
    return OVERHEAD + file.size();
  }
}
