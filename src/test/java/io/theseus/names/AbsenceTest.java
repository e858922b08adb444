package io.theseus.names;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whether a node was away for too long. */
final class AbsenceTest {
  private static final Instant MET = Instant.parse("2026-01-31T12:00:00Z");

  @TempDir private Path directory;

  @BeforeEach
  void meet() throws Exception {
    Files.writeString(directory.resolve("met"), MET + "\n");
  }

  private Absence after(Duration absence, Set<String> others) {
    Clock clock = Clock.fixed(MET.plus(absence), ZoneOffset.UTC);
    return Absence.in(directory, Duration.ofDays(1), others, clock);
  }

  @Test
  void shouldKnowSinceWhenNoOtherNodeWasMet() {
    assertThat(after(Duration.ofDays(2), Set.of("node2")).since()).contains(MET);
    assertThat(after(Duration.ofHours(23), Set.of("node2")).since()).isEmpty();
  }

  /** One that was in a cluster, and is alone by its settings now, misses nobody. */
  @Test
  void shouldMissNobodyWhereThereIsNoOtherNode() {
    assertThat(after(Duration.ofDays(2), Set.of()).since()).isEmpty();
  }
}
