package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.bench.backup.BackupBenchmark;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark of copies runs with HDFS and plain C, checks their bytes, and leaves nothing. */
@Tag("processes")
@Tag("soak") // Maven fetches HDFS for it
@Tag("bench-backup")
class BackupBenchmarkTest {
  @TempDir Path results;

  @BeforeAll
  static void needsThePeers() {
    for (String program : List.of("gcc", "mvn", "setpriv")) {
      assumeTrue(
          Stream.of("/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin")
              .anyMatch(directory -> Files.isExecutable(Path.of(directory, program))),
          program + " is not installed");
    }
    assumeTrue(Files.exists(Path.of("/usr/include/openssl/evp.h")), "libssl-dev is not installed");
  }

  @Test
  void shouldMeasureCopiesBesideHdfsAndPlainC() throws Exception {
    List<Long> before = children();
    String said = run(0, "--quick", "--results", results.toString());

    List<String> expected = new ArrayList<>();
    for (String name : List.of("put-1x1GiB", "put-16x64MiB")) {
      for (String peer : List.of("hdfs", "raw", "raw-chain")) {
        rows(expected, name + ", no copy", peer);
      }
      for (String peer : List.of("hdfs", "raw", "raw-chain", "no copy")) {
        rows(expected, name + ", one copy", peer);
      }
      for (String peer : List.of("hdfs", "raw", "raw-chain", "no copy")) {
        rows(expected, name + ", 2 copies", peer);
      }
      for (String peer : List.of("hdfs", "raw")) {
        rows(expected, name + ", raw-chain", peer);
      }
    }
    expected.add("heartbeats, idle: largest-gap");
    expected.add("heartbeats, threshold: largest-phi");
    List<String> found = new ArrayList<>();
    for (JsonNode row : new ObjectMapper().readTree(results.resolve("backup.json").toFile())) {
      found.add(
          "%s, %s: %s"
              .formatted(
                  row.get("case").asText(),
                  row.get("peerName").asText(),
                  row.get("metric").asText()));
      assertThat(row.get("peer").asDouble()).as("%s", row).isPositive();
    }
    assertThat(found).as("%s", said).containsExactlyElementsOf(expected);
    assertThat(results.resolve("backup.csv")).content().hasLineCount(1 + 2 * 6);
    assertThat(results.resolve("backup").resolve("heartbeats.csv"))
        .content()
        .contains("node1,")
        .contains("node2,")
        .contains("node3,");
    assertThat(results.resolve("backup.md"))
        .content()
        .contains("its figures say nothing")
        .contains("Nodes that another one took for unreachable in the whole run: 0");
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
    assertThat(run(2, "--quick", "--case", "put-2x1GiB"))
        .contains("--case: put-2x1GiB (expected: put-1x1GiB, put-16x64MiB)");
    assertThat(run(2, "--rounds", "101")).contains("--rounds: 101 (expected: 1 to 100)");
  }

  private static void rows(List<String> expected, String name, String peer) {
    for (String metric : List.of("throughput", "server-cpu")) {
      expected.add(name + ", " + peer + ": " + metric);
    }
  }

  private static List<Long> children() {
    return ProcessHandle.current().descendants().map(ProcessHandle::pid).toList();
  }

  private static String run(int exitCode, String... arguments) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int code = BackupBenchmark.run(out, arguments);
    String said = bytes.toString(StandardCharsets.UTF_8);
    assertThat(code).as("%s", said).isEqualTo(exitCode);
    return said;
  }
}
