package io.theseus.bench.transfer;

import io.theseus.bench.Usage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Looks again and again at what a server that forks has had resident. */
final class PeakWatch implements AutoCloseable {
  private final ProcessHandle server;
  private final int periodMillis;
  private final CountDownLatch over = new CountDownLatch(1);
  private final Thread thread = new Thread(this::watch, "peak-watch");
  private volatile double peak;

  PeakWatch(ProcessHandle server, int periodMillis) {
    this.server = server;
    this.periodMillis = periodMillis;
    thread.setDaemon(true);
    thread.start();
  }

  private void watch() {
    try {
      do {
        peak = Math.max(peak, Usage.peakMib(server));
      } while (!over.await(periodMillis, TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  double peakMib() {
    return peak;
  }

  @Override
  public void close() {
    over.countDown();
  }
}
