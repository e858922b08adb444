package io.theseus.access;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** Counts the connections that are open, in all and by source, and refuses those beyond a limit. */
public final class Callers {
  private final int most;
  private final String mostBy;
  private final int mostPerSource;
  private final AtomicInteger open = new AtomicInteger();
  private final Map<Source, Integer> bySource = new ConcurrentHashMap<>();
  private final LongAdder refused = new LongAdder();

  /**
   * Limits; 0 for none.
   *
   * @param mostBy what sets the limit of all
   * @param mostPerSource of one source
   */
  public Callers(int most, String mostBy, int mostPerSource) {
    this.most = most;
    this.mostBy = mostBy;
    this.mostPerSource = mostPerSource;
  }

  /** A connection comes: why it may not stay, or empty, and then it counts until it leaves. */
  public Optional<String> enter(Source source) {
    int all = open.incrementAndGet();
    int own = bySource.merge(source, 1, Integer::sum);
    if (most > 0 && all > most) {
      return refuse(source, most + " connections are open", mostBy);
    }
    if (mostPerSource > 0 && own > mostPerSource) {
      return refuse(
          source,
          mostPerSource + " connections from " + source + " are open",
          "theseus.packets.max-connections-per-source");
    }
    return Optional.empty();
  }

  private Optional<String> refuse(Source source, String what, String limit) {
    leave(source);
    refused.increment();
    return Optional.of(what + " (expected: no more, by " + limit + ")");
  }

  /** A connection that counts is gone. */
  public void leave(Source source) {
    open.decrementAndGet();
    bySource.computeIfPresent(source, (key, count) -> count == 1 ? null : count - 1);
  }

  /** Connections that count now. */
  public int open() {
    return open.get();
  }

  /** Connections that were refused. */
  public long refused() {
    return refused.sum();
  }
}
