package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.bench.transfer.TransferBenchmark;
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

/** The benchmark of transfers runs with all its peers, checks their bytes, and leaves nothing. */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
class TransferBenchmarkTest {
  private static final List<String> LARGE_ALONE = List.of("nginx", "rsync", "raw");
  private static final List<String> MANY = List.of("nginx", "raw");

  @TempDir Path results;

  @BeforeAll
  static void needsThePeers() {
    for (String program : List.of("gcc", "nginx", "rsync", "taskset", "setpriv")) {
      assumeTrue(
          Stream.of("/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin")
              .anyMatch(directory -> Files.isExecutable(Path.of(directory, program))),
          program + " is not installed");
    }
    assumeTrue(Files.exists(Path.of("/usr/include/openssl/evp.h")), "libssl-dev is not installed");
  }

  @Test
  void shouldMeasureEveryCaseBesideItsPeers() throws Exception {
    List<Long> before = children();
    String said = run(0, "--quick", "--results", results.toString());

    List<String> expected = new ArrayList<>();
    rows(expected, "get-1x1GiB", LARGE_ALONE);
    rows(expected, "get-64x64MiB", MANY);
    rows(expected, "get-1x1GiB-tls", List.of("nginx"));
    rows(expected, "get-64x64MiB-tls", List.of("nginx"));
    rows(expected, "get-small-4KiB", MANY);
    rows(expected, "get-small-4KiB-pipelined", List.of("nginx", "nginx-ahead"));
    rows(expected, "put-1x1GiB", LARGE_ALONE);
    rows(expected, "put-64x16MiB", MANY);
    rows(expected, "put-small-4KiB", MANY);
    List<String> found = new ArrayList<>();
    for (JsonNode row : new ObjectMapper().readTree(results.resolve("transfer.json").toFile())) {
      found.add(
          "%s %s %s"
              .formatted(
                  row.get("case").asText(),
                  row.get("peerName").asText(),
                  row.get("metric").asText()));
      assertThat(row.get("ours").asDouble()).as("%s", row).isPositive();
      assertThat(row.get("peer").asDouble()).as("%s", row).isPositive();
    }
    assertThat(found).as("%s", said).containsExactlyElementsOf(expected);
    assertThat(results.resolve("transfer.md")).content().contains("its figures say nothing");
    try (Stream<Path> kept = Files.list(results.resolve("transfer"))) {
      assertThat(kept.map(each -> each.getFileName().toString()))
          .containsExactlyInAnyOrder("nginx.conf", "rsyncd.conf", "commands.txt");
    }
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
    try (Stream<Path> left = Files.list(Path.of("target/bench"))) {
      String own = "theseus-bench-" + ProcessHandle.current().pid();
      assertThat(left).noneMatch(each -> each.endsWith(own));
    }
  }

  @Test
  void shouldRefuseWhatItDoesNotKnow() {
    assertThat(run(2, "--quick", "--case", "get-1x2GiB"))
        .contains("--case: get-1x2GiB (expected: get-1x1GiB, get-64x64MiB,");
    assertThat(run(2, "--quick", "--peer", "apache"))
        .contains("--peer: apache (expected: nginx, nginx-ahead, rsync, raw)");
    assertThat(run(2, "--rounds", "101")).contains("--rounds: 101 (expected: 1 to 100)");
  }

  private static void rows(List<String> expected, String name, List<String> peers) {
    for (String peer : peers) {
      for (String metric : List.of("throughput", "server-cpu", "peak-memory")) {
        expected.add(name + " " + peer + " " + metric);
      }
    }
  }

  private static List<Long> children() {
    return ProcessHandle.current().descendants().map(ProcessHandle::pid).toList();
  }

  private static String run(int exitCode, String... arguments) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int code = TransferBenchmark.run(out, arguments);
    String said = bytes.toString(StandardCharsets.UTF_8);
    assertThat(code).as("%s", said).isEqualTo(exitCode);
    return said;
  }
}
