package io.theseus.repair;

import io.theseus.store.Source;
import io.theseus.wire.ProtocolException;
import java.nio.channels.FileChannel;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file of which more and more is shown, no faster than at a rate, which it shares with others.
 */
final class Paced implements Source {
  private static final long MOST_STEP = 1 << 20;

  /**
   * Of a second: so long one step takes at most, where it is alone. With as many copies as there
   * may be each of them still gets on before it is taken for stuck.
   */
  private static final int STEPS = 16;

  /** Runs something later; not where the node stops. */
  @FunctionalInterface
  interface Timer {
    void run(Runnable task, long nanos);
  }

  private final Source whole;
  private final Rate rate;
  private final Timer timer;
  private final long most;
  private final AtomicLong shown = new AtomicLong();
  private volatile boolean closed;
  private volatile Runnable watcher = () -> {};

  /** A file that is all there. */
  static Source of(Source whole, Rate rate, Timer timer) {
    if (!rate.isLimited()) {
      return whole;
    }
    Paced paced = new Paced(whole, rate, timer);
    paced.grow();
    return paced;
  }

  private Paced(Source whole, Rate rate, Timer timer) {
    this.whole = whole;
    this.rate = rate;
    this.timer = timer;
    this.most = Math.max(1, Math.min(MOST_STEP, rate.bytesPerSecond() / STEPS));
  }

  private void grow() {
    long step = Math.min(most, whole.available() - shown.get());
    if (closed || step <= 0) {
      return;
    }
    timer.run(() -> show(step), rate.take(step));
  }

  private void show(long step) {
    shown.updateAndGet(now -> Math.min(whole.available(), now + step));
    watcher.run();
    grow();
  }

  @Override
  public FileChannel channel() {
    return whole.channel();
  }

  @Override
  public long available() {
    return shown.get();
  }

  @Override
  public int summed() {
    return whole.summed();
  }

  @Override
  public int[] sums(int firstBlock, int count) {
    return whole.sums(firstBlock, count);
  }

  /** Who goes on with a copy has that already: it takes no time. */
  @Override
  public void from(long offset) {
    shown.updateAndGet(now -> Math.max(now, Math.min(offset, whole.available())));
  }

  @Override
  public Optional<ProtocolException> failure() {
    return whole.failure();
  }

  @Override
  public void onChange(Runnable next) {
    watcher = next;
    next.run(); // what came before is not told again
  }

  @Override
  public void close() {
    closed = true;
    whole.close();
  }
}
