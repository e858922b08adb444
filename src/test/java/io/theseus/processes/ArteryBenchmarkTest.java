package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.bench.backup.ArteryBenchmark;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark of the way that copies take runs, checks their bytes, and leaves nothing. */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
class ArteryBenchmarkTest {
  @TempDir Path results;

  @Test
  void shouldMeasureBothWaysOfACopy() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "setpriv is not installed");
    List<Long> before = children();
    String said = run(0, "--quick", "--results", results.toString());

    List<String> expected = new ArrayList<>();
    for (String name : List.of("copy-1x1GiB", "copy-16x64MiB")) {
      for (String peer : List.of("artery-256KiB", "artery-1MiB")) {
        expected.add(name + ", " + peer + ": throughput");
        expected.add(name + ", " + peer + ": cpu");
      }
    }
    expected.add("heartbeats, artery-256KiB: largest-gap");
    expected.add("heartbeats, artery-1MiB: largest-gap");
    List<String> found = new ArrayList<>();
    for (JsonNode row : new ObjectMapper().readTree(results.resolve("artery.json").toFile())) {
      found.add(
          "%s, %s: %s"
              .formatted(
                  row.get("case").asText(),
                  row.get("peerName").asText(),
                  row.get("metric").asText()));
      assertThat(row.get("ours").asDouble()).as("%s", row).isPositive();
      assertThat(row.get("peer").asDouble()).as("%s", row).isPositive();
    }
    assertThat(found).as("%s", said).containsExactlyElementsOf(expected);
    assertThat(results.resolve("artery.csv")).content().hasLineCount(1 + 2 * 3);
    for (String contender : List.of("ours", "artery-256KiB", "artery-1MiB")) {
      assertThat(results.resolve("artery").resolve("heartbeats.csv"))
          .content()
          .contains(contender + "-gives,")
          .contains(contender + "-takes,");
    }
    assertThat(results.resolve("artery.md")).content().contains("its figures say nothing");
    try (Stream<Path> kept = Files.walk(results)) {
      assertThat(kept.filter(Files::isRegularFile))
          .allSatisfy(
              each ->
                  assertThat(each)
                      .content()
                      .as("says nothing of where the checkout is")
                      .doesNotContain(Path.of("").toAbsolutePath().toString()));
    }
    assertThat(children()).isEqualTo(before);
  }

  @Test
  void shouldRefuseWhatItDoesNotKnow() {
    assertThat(run(2, "--rounds", "101")).contains("--rounds: 101 (expected: 1 to 100)");
    assertThat(run(2, "--case", "put-1x1GiB")).contains("--case");
  }

  private static List<Long> children() {
    return ProcessHandle.current().descendants().map(ProcessHandle::pid).toList();
  }

  private static String run(int exitCode, String... arguments) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int code = ArteryBenchmark.run(out, arguments);
    String said = bytes.toString(StandardCharsets.UTF_8);
    assertThat(code).as("%s", said).isEqualTo(exitCode);
    return said;
  }
}
