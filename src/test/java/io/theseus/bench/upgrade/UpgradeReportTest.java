package io.theseus.bench.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UpgradeReportTest {
  /** What is measured less something else: an hour of measuring would be lost for it. */
  @Test
  void shouldTellCostsBelowZero(@TempDir Path directory) throws Exception {
    UpgradeReport report =
        new UpgradeReport(
            /* quick= */ false, /* windows= */ 24, /* acts= */ 50, /* seed= */ 1, true);
    report.add(
        new Costs.Result(
            10_000,
            List.of(-1.79, 4.25, 154.8),
            List.of(-0.25, 0.75, 0.9),
            List.of(0.05, 0.06, 0.07),
            0));

    report.write(directory);

    assertThat(Files.readString(directory.resolve("upgrade.md")))
        .contains("| CPU for a session, µs | 4.25 | -1.79 to 155 | ≤ 20.0: met |")
        .contains("| of it on the event loop, µs | 0.75 | -0.25 to 0.90 | ≤ 1.00: met |");
    assertThat(directory.resolve("upgrade.json")).isNotEmptyFile();
  }
}
