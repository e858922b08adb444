package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The benchmark of sessions runs, ends what it opens, and leaves the journal alone. */
final class SessionsBenchmarkTest {
  @Test
  void shouldOpenAndCloseSessionsWithoutTheJournal() throws Exception {
    SessionsBenchmark benchmark = new SessionsBenchmark();
    benchmark.start();
    try {
      benchmark.openAndClose();
      benchmark.node().awaitNoSession();
      assertThat(benchmark.node().journalBatches()).isZero();
    } finally {
      benchmark.stop();
    }
  }
}
