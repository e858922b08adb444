package io.theseus.net;

import java.util.ArrayDeque;
import java.util.HashSet;
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

  /**
   * At a time, whatever was missed; one part of many where there are more than that is good for.
   */
  private static final int MOST = 64;

  private static final int PARTS = 128;

  private final ObjLongConsumer<T> look;
  private final Set<T> all = new HashSet<>();

  /** Who comes next; some may have gone. */
  private final ArrayDeque<T> order = new ArrayDeque<>();

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
    if (all.add(one)) {
      order.add(one);
    }
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
    int size = order.size();
    due += (double) size * (now - last) / ROUND;
    last = now;
    int most = Math.min(size, Math.max(MOST, size / PARTS));
    int turns = (int) Math.min(due, most);
    due = Math.min(due - turns, 1);
    for (int i = 0; i < turns; i++) {
      T next = order.remove();
      if (all.contains(next)) {
        order.add(next);
        look.accept(next, now);
      }
    }
    return Math.max(SHORTEST, Math.min(LONGEST, ROUND / Math.max(1, order.size())));
  }
}
