package io.theseus.bench.transfer;

import io.theseus.bench.LoadRun;
import io.theseus.bench.Usage;
import java.io.IOException;
import java.util.Locale;

/**
 * What one run of a load client shows of a server.
 *
 * @param rate in {@link TransferCase#rateUnit}
 * @param cpu of the server, in {@link TransferCase#cpuUnit}
 * @param peakMib the most memory that its processes had resident, each, summed up
 */
record Sample(double rate, double cpu, double peakMib) {
  /** How often a server's children are looked at: the peak of one that has ended is lost. */
  private static final int SAMPLING_MILLIS = 20;

  /** Runs a load client and watches the server. */
  static Sample take(TransferCase what, Server server, String folder) throws IOException {
    Usage.resetPeak(server.process());
    double before = Usage.cpuSeconds(server.process());
    LoadRun run;
    double peak;
    if (server.forks()) {
      try (PeakWatch watch = new PeakWatch(server.process(), SAMPLING_MILLIS)) {
        run = server.load().run(what, folder);
        peak = watch.peakMib();
      }
    } else {
      run = server.load().run(what, folder);
      peak = Usage.peakMib(server.process());
    }
    double used = Usage.cpuSeconds(server.process()) - before;
    return new Sample(what.rate(run), what.cpu(run, used), peak);
  }

  String shown(TransferCase what) {
    return String.format(
        Locale.ROOT,
        what.small() ? "%,9.0f %s  %6.3f %s  %6.1f MiB" : "%9.3f %s  %6.3f %s  %6.1f MiB",
        rate,
        what.rateUnit(),
        cpu,
        what.cpuUnit(),
        peakMib);
  }
}
