package io.theseus.net;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What may leave an event loop's connections a little later, because more is on its way. */
@SuppressWarnings("FutureReturnValueIgnored") // a timer that ends with the loop
final class LateFlush {
  /** More than a turn takes in which a hundred connections are served; little for a client. */
  private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final EventLoop loop;
  private List<Runnable> waiting = new ArrayList<>();

  LateFlush(EventLoop loop) {
    this.loop = loop;
  }

  /** Runs a flush in a moment; on the loop. */
  void add(Runnable flush) {
    waiting.add(flush);
    if (waiting.size() == 1) {
      loop.schedule(this::flush, LATE_NANOS, TimeUnit.NANOSECONDS);
    }
  }

  private void flush() {
    List<Runnable> due = waiting;
    waiting = new ArrayList<>();
    due.forEach(Runnable::run);
  }
}
