package io.theseus.access;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How long whoever guesses waits for the answer: from a quarter of a second on, twice as long after
 * each wrong token of the same source, 30 s at most; one is forgotten each minute.
 *
 * <p>Nothing but the answer to a wrong token is late. A table of 10,000 sources at most: the one
 * that was quiet for longest gives way.
 */
final class Penalties {
  private static final int MOST_SOURCES = 10_000;
  private static final long FIRST_MILLIS = 250;
  private static final long MOST_MILLIS = 30_000;
  private static final int MOST_WRONG = 30;
  private static final long FORGET_NANOS = Duration.ofMinutes(1).toNanos();

  /** What a source did lately. */
  private record Count(int wrong, long nanos) {}

  /** What a wrong token costs. */
  record Penalty(int wrong, Duration delay) {}

  private final Map<Source, Count> counts =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Source, Count> eldest) {
          return size() > MOST_SOURCES;
        }
      };

  /** A source has sent a wrong token. */
  synchronized Penalty wrong(Source source, long nowNanos) {
    Count before = counts.getOrDefault(source, new Count(0, nowNanos));
    long forgotten = Math.min(MOST_WRONG, (nowNanos - before.nanos()) / FORGET_NANOS);
    int wrong = (int) Math.max(0, before.wrong() - forgotten) + 1;
    counts.put(source, new Count(Math.min(wrong, MOST_WRONG), nowNanos));
    long millis = Math.min(MOST_MILLIS, FIRST_MILLIS << Math.min(wrong - 1, MOST_WRONG));
    return new Penalty(wrong, Duration.ofMillis(millis));
  }

  synchronized int size() {
    return counts.size();
  }
}
