package io.theseus.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.bench.Measurement.Better;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Results of benchmarks: the ratio is that of the rounds' pairs, and the three files say so. */
final class BenchResultsTest {
  @TempDir Path directory;

  @Test
  void shouldTellTheRatioOfEachRoundsPair() throws Exception {
    write(measurement("peer <1>", List.of(1.0, 4.0, 9.0), List.of(2.0, 4.0, 3.0)));

    JsonNode row = new ObjectMapper().readTree(directory.resolve("trial.json").toFile()).get(0);

    assertThat(row.fieldNames())
        .toIterable()
        .containsExactly(
            "case",
            "metric",
            "unit",
            "ours",
            "peer",
            "peerName",
            "ratio",
            "ratioMin",
            "ratioMax",
            "rounds",
            "command");
    assertThat(row.get("ours").asDouble()).isEqualTo(4);
    assertThat(row.get("peer").asDouble()).isEqualTo(3);
    assertThat(row.get("ratio").asDouble()).isEqualTo(1);
    assertThat(row.get("ratioMin").asDouble()).isEqualTo(0.5);
    assertThat(row.get("ratioMax").asDouble()).isEqualTo(3);
    assertThat(row.get("rounds").asInt()).isEqualTo(3);
  }

  @Test
  void shouldDrawWellFormedSvgForReadersInLightAndDark() throws Exception {
    write(
        measurement("peer <1> & co", List.of(0.0, 1.0), List.of(2.0, 4.0)),
        measurement("other", List.of(7.0, 8.0), List.of(2.0, 4.0)));
    Path svg = directory.resolve("trial.svg");

    assertThat(
            DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(svg.toFile())
                .getElementsByTagName("circle")
                .getLength())
        .isEqualTo(2);
    assertThat(svg).content().contains("prefers-color-scheme: dark").contains("class=\"one\"");
  }

  @Test
  void shouldSayWhichGoalsAreMissed() throws Exception {
    write(
        measurement("fast", List.of(1.0), List.of(2.0)),
        measurement("slow", List.of(2.0), List.of(2.0)));

    assertThat(directory.resolve("trial.md"))
        .content()
        .contains("fast: 2.00 | **0.50** | 0.50 to 0.50 | ≥ 0.90: **missed**")
        .contains("slow: 2.00 | **1.00** | 1.00 to 1.00 | ≥ 0.90: met")
        .contains("- `get`: as it comes")
        .contains("processors: ");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.map(each -> each.getFileName().toString()))
          .containsExactlyInAnyOrder("trial.json", "trial.md", "trial.svg");
    }
  }

  @Test
  void shouldRefuseRoundsThatDoNotPair() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> measurement("peer", List.of(1.0), List.of()))
        .withMessageContaining("1 rounds of ours, 0 of peer (expected: as many");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> measurement("peer", List.of(1.0), List.of(0.0)))
        .withMessageContaining("0.0 of peer (expected: a finite number > 0)");
  }

  private void write(Measurement... measurements) throws Exception {
    BenchResults results = new BenchResults("trial", "A trial");
    for (Measurement each : measurements) {
      results.add(each);
    }
    results.note("get", "as it comes");
    results.write(directory);
  }

  private static Measurement measurement(String peerName, List<Double> ours, List<Double> peer) {
    return new Measurement(
        "get",
        "throughput",
        "GB/s",
        Better.HIGHER,
        ours,
        peerName,
        peer,
        OptionalDouble.of(0.9),
        "./theseus bench trial");
  }
}
