package io.theseus.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What a process has used is told from outside, threads and children that have ended included. */
class UsageTest {
  private static final long WORK_NANOS = 50_000_000;

  @Test
  void shouldCountThreadsThatHaveEnded() throws Exception {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    AtomicLong burnt = new AtomicLong();
    double before = Usage.cpuSeconds(ProcessHandle.current());
    Thread thread =
        new Thread(
            () -> {
              while (threads.getCurrentThreadCpuTime() < WORK_NANOS) {
                burnt.incrementAndGet();
              }
            });
    thread.start();
    thread.join();

    assertThat(Usage.cpuSeconds(ProcessHandle.current()) - before)
        .isGreaterThanOrEqualTo(WORK_NANOS / 1e9);
  }

  @Test
  void shouldCountChildrenWhileTheyRunAndWhenTheyHaveEnded() throws Exception {
    double before = Usage.cpuSeconds(ProcessHandle.current());
    Process child =
        new ProcessBuilder("sh", "-c", "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; read x")
            .start();
    double used = 0;
    while (used < 0.1) {
      // the loop takes longer than that
      used = Usage.cpuSeconds(child.toHandle());
      Thread.onSpinWait();
    }
    assertThat(Usage.cpuSeconds(ProcessHandle.current()) - before).isGreaterThanOrEqualTo(used);
    child.getOutputStream().close();
    child.waitFor();

    assertThat(Usage.cpuSeconds(ProcessHandle.current()) - before)
        .as("waited for; counted in ticks of 10 ms")
        .isGreaterThanOrEqualTo(used - 0.02);
  }

  @Test
  void shouldBeginThePeakAnew() throws Exception {
    Process child =
        new ProcessBuilder(
                "sh", "-c", "x=$(head -c 40000000 /dev/zero | tr '\\0' a); x=; echo; read y")
            .start();
    int ready = child.getInputStream().read();
    double peak = Usage.peakMib(child.toHandle());
    Usage.resetPeak(child.toHandle());
    double after = Usage.peakMib(child.toHandle());
    child.getOutputStream().close();

    assertThat(ready).isEqualTo('\n');
    assertThat(peak).isGreaterThan(35);
    assertThat(after).isPositive().isLessThan(peak / 2);
  }
}
