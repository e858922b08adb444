package io.theseus.node;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * The descriptors that this process may have open: one for each connection, one for each file in
 * transfer, some for the node itself.
 *
 * <p>The JVM raises the soft limit to the hard one when it starts; the hard one is the user's.
 *
 * @param limit the most that may be open
 */
record Descriptors(long limit) {
  /** What the node itself takes, journal included, and a few transfers. */
  static final long LEAST = 256;

  static final String REMEDY =
      "raise the limit where the node is started: `ulimit -n 100000` in a shell,"
          + " LimitNOFILE=100000 in systemd";

  /** Those of this process; without a bound where the system says none. */
  static Descriptors ofProcess() {
    return new Descriptors(
        bean() instanceof UnixOperatingSystemMXBean unix
            ? unix.getMaxFileDescriptorCount()
            : Long.MAX_VALUE);
  }

  /** How many are open now. */
  static long open() {
    return bean() instanceof UnixOperatingSystemMXBean unix ? unix.getOpenFileDescriptorCount() : 0;
  }

  /** How many are kept for files, the journal and whoever asks for the status. */
  long kept() {
    return Math.min(limit, LEAST / 2 + limit / 4);
  }

  /**
   * The most connections that may be open, at most as many as configured; 0 there is any number.
   */
  int mostConnections(int configured) {
    long most = Math.min(Integer.MAX_VALUE, limit - kept());
    return (int) (configured == 0 ? most : Math.min(configured, most));
  }

  void requireEnough() throws StartException {
    if (limit < LEAST) {
      throw new StartException(
          "descriptors: " + limit + " (expected: >= " + LEAST + "): " + REMEDY);
    }
  }

  private static Object bean() {
    return ManagementFactory.getOperatingSystemMXBean();
  }
}
