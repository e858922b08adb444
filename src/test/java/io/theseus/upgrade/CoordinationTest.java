package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.testing.SoakResults;
import io.theseus.upgrade.Simulation.Parts;
import io.theseus.upgrade.Simulation.Tally;
import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Rows 16 and 17 of the faults: many clusters, each with faults of its own, in {@link Simulation}.
 *
 * <p>A seed that fails is printed. {@code mvn test -Dtest=CoordinationTest -Dcoordination.seed=N}
 * runs it alone, and prints all that happens in it.
 */
@Tag("once") // says nothing of a version of Java
final class CoordinationTest {
  private static final long SEEDS = 10_000;
  private static final long SOAK_SEEDS = 1_000_000;
  private static final long SOAK_STEP = 20_000;
  private static final Duration SOAK_TIME = Duration.ofMinutes(50);

  @Test
  void shouldAgreeAndEndWhateverHappens() {
    Long alone = Long.getLong("coordination.seed");
    if (alone != null) {
      System.out.println(new Simulation(alone, new Parts(), /* tracing= */ true).run());
      return;
    }
    List<Tally> tallies = run(0, SEEDS);
    // a simulation in which nothing happens finds nothing
    assertThat(tallies).anyMatch(tally -> tally.wipes() > 0).anyMatch(tally -> tally.crashes() > 3);
    for (ActRecord.Outcome outcome : ActRecord.Outcome.values()) {
      assertThat(tallies.stream().filter(tally -> tally.outcomes().containsKey(outcome)).count())
          .as("seeds with an act that is %s", outcome)
          .isGreaterThan(SEEDS / 20);
    }
  }

  /** The long count. It stops after 50 minutes and goes on the next time it is run. */
  @Test
  @Tag("soak")
  @Tag("coordination")
  void shouldAgreeInAMillionClusters() {
    SoakResults results = new SoakResults("coordination");
    long end = System.nanoTime() + SOAK_TIME.toNanos();
    long done = counted(results);
    try {
      while (done < SOAK_SEEDS && System.nanoTime() < end) {
        run(SEEDS + done, SOAK_STEP);
        done += SOAK_STEP;
        results.add("seeds " + done);
      }
    } catch (RuntimeException | Error e) {
      results.failed(e);
      throw e;
    }
    System.out.println(done + " seeds");
    assumeTrue(done >= SOAK_SEEDS, "not done yet, run it again to go on: " + done);
    results.done();
  }

  private static long counted(SoakResults results) {
    return results.lines().stream()
        .filter(line -> line.startsWith("seeds "))
        .mapToLong(line -> Long.parseLong(line.substring("seeds ".length())))
        .max()
        .orElse(0);
  }

  private static List<Tally> run(long from, long count) {
    return LongStream.range(from, from + count).parallel().mapToObj(CoordinationTest::run).toList();
  }

  private static Tally run(long seed) {
    try {
      return new Simulation(seed, new Parts(), /* tracing= */ false).run();
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + seed + " (alone by -Dcoordination.seed=" + seed + ")", e);
    }
  }
}
