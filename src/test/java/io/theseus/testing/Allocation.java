package io.theseus.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What the current thread allocates: shows buffers that are sized by what an input merely says. */
public final class Allocation {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Classes are loaded on the way, and instrumented; a length that was not checked is 4 GiB. */
  private static final long CONSTANT = 256 << 20;

  private static final long PER_BYTE = 400;

  private final long before = THREADS.getCurrentThreadAllocatedBytes();

  private Allocation() {}

  public static Allocation begin() {
    return new Allocation();
  }

  /** Checks that no more was allocated than input of this length explains. */
  public void check(int inputBytes) {
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated)
        .as("bytes allocated for an input of %d", inputBytes)
        .isLessThan(CONSTANT + PER_BYTE * inputBytes);
  }
}
