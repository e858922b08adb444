package io.theseus.repair;

import io.theseus.store.Original;
import io.theseus.store.Source;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.nio.channels.FileChannel;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A file that is copied no faster than at a rate, which it shares with others. */
final class Paced implements Original {
  private static final Logger LOG = LoggerFactory.getLogger(Paced.class);
  private static final long STEP = 1 << 20;

  private final Original file;
  private final Rate rate;
  private final ScheduledExecutorService timer;

  Paced(Original file, Rate rate, ScheduledExecutorService timer) {
    this.file = file;
    this.rate = rate;
    this.timer = timer;
  }

  @Override
  public UUID session() {
    return file.session();
  }

  @Override
  public FileName name() {
    return file.name();
  }

  @Override
  public OptionalLong size() {
    return file.size();
  }

  @Override
  public Optional<Instant> modified() {
    return file.modified();
  }

  @Override
  public long durable() {
    return file.durable();
  }

  @Override
  public int lastSum() {
    return file.lastSum();
  }

  @Override
  public Source source() throws ProtocolException {
    Source whole = file.source();
    if (!rate.isLimited()) {
      return whole;
    }
    Growing growing = new Growing(whole);
    growing.grow();
    return growing;
  }

  /** Shows more and more of what is there. */
  private final class Growing implements Source {
    private final Source whole;
    private final AtomicLong shown = new AtomicLong();
    private volatile boolean closed;
    private volatile Runnable watcher = () -> {};

    Growing(Source whole) {
      this.whole = whole;
    }

    void grow() {
      long step = Math.min(STEP, whole.available() - shown.get());
      if (closed || step <= 0) {
        return;
      }
      try {
        var unused = timer.schedule(() -> show(step), rate.take(step), TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("the node stops", e);
      }
    }

    private void show(long step) {
      shown.addAndGet(step);
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
}
