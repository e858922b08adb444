package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.recovery.KillingRun.Hit;
import io.theseus.recovery.KillingRun.Kind;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.SoakResults;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * GETs and PUTs, with and without Size, several at once, whose node is killed at random moments:
 * the right hash, no acknowledged byte asked for again, nothing partial visible. See {@link
 * KillingRun} for what is checked and when a kill counts.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class KillAtRandomTest {
  private static final int KILLS = 20;
  private static final int SOAK_KILLS = 500;
  private static final Duration SOAK_TIME = Duration.ofMinutes(50);

  /** How many kills may be needed for one that counts for every kind. */
  private static final int TRIES = 3;

  @Test
  void shouldLoseNothingWhenKilledAtRandomMoments(@TempDir Path directory)
      throws InterruptedException, IOException {
    long seed = seed();
    Tally tally = new Tally(KILLS);
    try (KillingRun run = new KillingRun(directory, seed, NodeProcess::kill)) {
      run.run(
          TRIES * KILLS,
          hits -> {
            tally.add(hits);
            return !tally.isFull();
          });
    } finally {
      System.out.println("seed " + seed + ": " + tally);
    }
    assertThat(tally.isFull()).as("kills that count: %s", tally).isTrue();
  }

  /** The long count. It stops after 50 minutes and goes on the next time it is run. */
  @Test
  @Tag("soak")
  @Tag("kill")
  void shouldLoseNothingInFiveHundredKills(@TempDir Path directory)
      throws InterruptedException, IOException {
    SoakResults results = new SoakResults("kill");
    Tally tally = new Tally(SOAK_KILLS);
    tally.read(results.lines());
    long seed = seed();
    results.add("# seed " + seed);
    long end = System.nanoTime() + SOAK_TIME.toNanos();
    try (KillingRun run = new KillingRun(directory, seed, NodeProcess::kill)) {
      run.run(
          TRIES * SOAK_KILLS,
          hits -> {
            tally.add(hits);
            results.add(Tally.line(hits));
            return !tally.isFull() && System.nanoTime() < end;
          });
    } catch (RuntimeException | Error e) {
      results.failed(e);
      throw e;
    }
    System.out.println(tally);
    assumeTrue(tally.isFull(), "not done yet, run it again to go on: " + tally);
    results.done();
  }

  private static long seed() {
    long seed = Long.getLong("kill.seed", System.nanoTime());
    System.out.println("seed " + seed + " (again by -Dkill.seed=" + seed + ")");
    return seed;
  }

  /** Kills that count, and where they hit. */
  static final class Tally {
    private static final int BINS = 10;

    private final int wanted;
    private int kills;
    private final Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
    private final Map<Kind, int[]> spread = new EnumMap<>(Kind.class);
    private final StringBuilder offsets = new StringBuilder();

    Tally(int wanted) {
      this.wanted = wanted;
      for (Kind kind : Kind.values()) {
        counts.put(kind, 0);
        spread.put(kind, new int[BINS]);
      }
    }

    void add(List<Hit> hits) {
      kills++;
      hits.stream().map(Hit::kind).distinct().forEach(kind -> counts.merge(kind, 1, Integer::sum));
      for (Hit hit : hits) {
        bins(hit.kind())[(int) (hit.acknowledged() * BINS / hit.size())]++;
      }
      offsets.append("\n  ").append(line(hits));
    }

    boolean isFull() {
      return counts.values().stream().allMatch(count -> count >= wanted);
    }

    /** What {@link #read} reads: {@code kind:acknowledged/size} for each transfer that was hit. */
    static String line(List<Hit> hits) {
      return hits.isEmpty()
          ? "none"
          : hits.stream()
              .map(hit -> hit.kind() + ":" + hit.acknowledged() + "/" + hit.size())
              .collect(Collectors.joining(" "));
    }

    void read(List<String> lines) {
      for (String line : lines) {
        if (line.startsWith("#")) {
          continue;
        }
        add(
            line.equals("none")
                ? List.of()
                : Arrays.stream(line.split(" ", -1)).map(Tally::hit).toList());
      }
      offsets.setLength(0);
    }

    private static Hit hit(String text) {
      String[] fields = text.split("[:/]", 3);
      return new Hit(Kind.valueOf(fields[0]), Long.parseLong(fields[1]), Long.parseLong(fields[2]));
    }

    private int[] bins(Kind kind) {
      return spread.computeIfAbsent(kind, any -> new int[BINS]);
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d kills; of these counted %s (wanted: %d each); hits by tenth of the file %s;"
              + " acknowledged/size at each kill:%s",
          kills,
          counts,
          wanted,
          spread.entrySet().stream()
              .map(each -> each.getKey() + " " + Arrays.toString(each.getValue()))
              .collect(Collectors.joining(", ")),
          offsets);
    }
  }
}
