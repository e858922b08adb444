package io.theseus.net;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjLongConsumer;

/**
 * What an event loop looks after: it looks at each about once a second, at a few at a time, because
 * packets of all the others wait meanwhile. On the loop's thread alone; times are nanoseconds.
 */
final class Rounds<T> {
  private static final long ROUND = TimeUnit.SECONDS.toNanos(1);
  private static final long SHORTEST = TimeUnit.MILLISECONDS.toNanos(2);
  private static final long LONGEST = TimeUnit.MILLISECONDS.toNanos(100);

  /** Looks at a time, however many are due. */
  private static final int MOST = 64;

  /** Or, where there are so many that a round would never end, one part in so many of them. */
  private static final int PARTS = 128;

  private final ObjLongConsumer<T> look;

  /** In the order in which their turns come. */
  private final Set<T> all = new LinkedHashSet<>();

  private long last;
  private double due;

  /**
   * None yet.
   *
   * @param look gets each, with the time; may remove what it looks at, and others
   */
  Rounds(ObjLongConsumer<T> look, long now) {
    this.look = look;
    this.last = now;
  }

  void add(T one) {
    all.add(one);
  }

  /** Whether it was there. */
  boolean remove(T one) {
    return all.remove(one);
  }

  List<T> all() {
    return List.copyOf(all);
  }

  /** Looks at those whose turn it is, and says when to come again. */
  long step(long now) {
    int size = all.size();
    due += (double) size * (now - last) / ROUND;
    last = now;
    int turns = (int) Math.min(due, Math.min(size, Math.max(MOST, size / PARTS)));
    due = Math.min(due - turns, 1);
    for (int i = 0; i < turns && !all.isEmpty(); i++) {
      T next = all.iterator().next();
      all.remove(next);
      all.add(next);
      look.accept(next, now);
    }
    return Math.max(SHORTEST, Math.min(LONGEST, ROUND / Math.max(1, all.size())));
  }
}
