package io.theseus.store;

import java.nio.ByteBuffer;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The content of small files that were read lately, so that the next reader of one costs a look at
 * its name instead of an open, a read and a close.
 *
 * <p>What is found under a name is compared with what was read: same inode, size, time of
 * modification and time of change mean the same content. The last one is the kernel's: nobody can
 * set it, as a PUT or {@code cp -p} sets the third, so a new file that got the inode of an old one
 * differs in it. It tells apart what was written at different ticks of its clock alone, so a file
 * is kept when it was left alone for {@link #SETTLED} before it was read.
 */
final class SmallFiles {
  /** Files up to so many bytes are read whole when they are opened. */
  static final int MOST = 16 * 1024;

  /** More than the coarsest time stamps of the file systems that are served. */
  static final Duration SETTLED = Duration.ofSeconds(2);

  /** What a file costs beside its bytes, about. */
  private static final int OVERHEAD = 400;

  /**
   * A small file as it was read.
   *
   * @param changed the time of change, before and after it was read
   * @param content from its first byte to its limit; for many readers, so its position stays
   */
  record Small(Facts facts, Instant changed, ByteBuffer content) {}

  private final Map<Object, Small> byKey = new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true);
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
   * What was read of a file, where it is still the same; null otherwise.
   *
   * @param changed asked for its time of change, where all the rest is the same
   */
  @Nullable Small find(BasicFileAttributes found, Supplier<Optional<Instant>> changed) {
    Small small = find(found.fileKey());
    boolean same =
        small != null
            && small.facts().sameAs(found)
            && changed.get().equals(Optional.of(small.changed()));
    return same ? small : null;
  }

  private synchronized @Nullable Small find(@Nullable Object key) {
    return key == null ? null : byKey.get(key);
  }

  /** Keeps what was read, those that nobody asked for the longest time giving way. */
  synchronized void add(Small small) {
    Facts facts = small.facts();
    if (small.changed().plus(SETTLED).isAfter(clock.instant())) {
      return;
    }
    remove(facts.key());
    byKey.put(facts.key(), small);
    bytes += cost(small);
    while (bytes > most) {
      remove(byKey.keySet().iterator().next());
    }
  }

  private void remove(Object key) {
    Small removed = byKey.remove(key);
    if (removed != null) {
      bytes -= cost(removed);
    }
  }

  private static long cost(Small small) {
    return (long) OVERHEAD + small.content().limit();
  }
}
