package io.theseus.cli;

import io.theseus.client.ClientSettings;
import io.theseus.client.SessionInfo;
import io.theseus.client.TransferListener;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Slows a transfer down to so many bytes a second: after each piece its thread waits until the
 * piece is due. The other end is slowed by the window, which shrinks to about half a second's
 * worth.
 */
final class RateLimit extends ForwardingListener {
  private static final int LEAST_DATA = 4 * 1024;
  private static final int MOST_DATA = 1024 * 1024;
  private static final int PIECES_PER_SECOND = 8;
  // an Idle is at least 10 s
  private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(4);
  private static final long CATCH_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(125);

  /** When the next byte is due; one for all the files of a command. */
  static final class Pace {
    private final LongSupplier bytesPerSecond;
    private long dueNanos = System.nanoTime();

    Pace(long bytesPerSecond) {
      this(() -> bytesPerSecond);
    }

    /** One that changes; it is asked for each piece. */
    Pace(LongSupplier bytesPerSecond) {
      this.bytesPerSecond = bytesPerSecond;
    }

    /** Waits until so many more bytes are due. */
    private void take(long bytes) {
      long now = System.nanoTime();
      long nanos = (long) (bytes * 1e9 / bytesPerSecond.getAsLong());
      // time that was lost is not made up for by a burst
      dueNanos = Math.max(dueNanos, now - CATCH_UP_NANOS) + nanos;
      long deadline = Math.min(dueNanos, now + LONGEST_NANOS);
      for (long left = deadline - now;
          left > 0 && !Thread.currentThread().isInterrupted();
          left = deadline - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
    }
  }

  private final Pace pace;
  private long last = -1;

  RateLimit(TransferListener listener, Pace pace) {
    super(listener);
    this.pace = pace;
  }

  /** Makes pieces and window so small that a wait between two of them is short. */
  static void configure(ClientSettings.Builder settings, long bytesPerSecond) {
    long piece = Math.max(LEAST_DATA, Math.min(MOST_DATA, bytesPerSecond / PIECES_PER_SECOND));
    settings.maxDataBytes((int) piece).windowBytes(piece * PIECES_PER_SECOND / 2);
  }

  @Override
  public void progress(long transferred, long acknowledged, OptionalLong size) {
    super.progress(transferred, acknowledged, size);
    if (last < 0 || transferred < last) {
      // what is acknowledged at the beginning was moved by an earlier connection
      last = Math.min(acknowledged, transferred);
    }
    pace.take(transferred - last);
    last = transferred;
  }

  @Override
  public void ready(SessionInfo session) {
    last = -1;
    super.ready(session);
  }

  @Override
  public void restarted(String reason) {
    last = -1;
    super.restarted(reason);
  }
}
