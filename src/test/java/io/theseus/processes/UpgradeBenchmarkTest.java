package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.bench.upgrade.UpgradeBenchmark;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark of upgrades runs: every kind of load is switched under, and nginx reloads. */
@Tag("processes")
@Tag("soak") // a first switch may stall a saturated machine for all of a window
@Tag("bench-upgrade")
class UpgradeBenchmarkTest {
  private static final Set<String> CASES =
      Set.of("exchange-100", "paced-100", "saturating-100", "costs-50");

  @TempDir Path results;

  @BeforeAll
  static void needsThePeers() {
    for (String program : List.of("gcc", "nginx", "taskset", "setpriv")) {
      assumeTrue(
          Stream.of("/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin")
              .anyMatch(directory -> Files.isExecutable(Path.of(directory, program))),
          program + " is not installed");
    }
    assumeTrue(Files.exists(Path.of("/usr/include/openssl/evp.h")), "libssl-dev is not installed");
  }

  @Test
  void shouldSwitchUnderEveryKindOfLoad() throws Exception {
    List<Long> before = children();
    String said = run(0, "--quick", "--results", results.toString());

    Set<String> cases = new TreeSet<>();
    Set<String> metrics = new TreeSet<>();
    for (JsonNode row : new ObjectMapper().readTree(results.resolve("upgrade.json").toFile())) {
      cases.add(row.get("case").asText());
      metrics.add(row.get("metric").asText());
      assertThat(row.get("peer").asDouble()).as("%s", row).isPositive();
    }
    assertThat(cases).as("%s", said).containsExactlyInAnyOrderElementsOf(CASES);
    assertThat(metrics)
        .contains("switch-p50", "all-but-p99", "stall-p99.9", "staging-max", "cpu", "old-code");
    assertThat(
            DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(results.resolve("upgrade.svg").toFile())
                .getElementsByTagName("polyline")
                .getLength())
        .as("lines of three panels")
        .isEqualTo(12);
    assertThat(results.resolve("upgrade.md"))
        .content()
        .contains("its figures say nothing")
        .contains("| exchange-100 | p99.9 |")
        .contains("10 of 10 downloads kept the old configuration")
        .contains("A new connection got the new configuration")
        .doesNotContain(Path.of("").toAbsolutePath().toString());
    try (Stream<Path> traces = Files.list(results.resolve("local").resolve("paced-100"))) {
      assertThat(traces)
          .filteredOn(each -> each.toString().endsWith(".trace.gz"))
          .as("a trace of each window; what --resume needs is beside them")
          .hasSize(6);
    }
    assertThat(children()).isEqualTo(before);
  }

  @Test
  void shouldRefuseWhatItDoesNotKnow() {
    assertThat(run(2, "--only", "exchange-7"))
        .contains("--only: exchange-7 (expected: exchange-100, exchange-1000,");
    assertThat(run(2, "--windows", "1001")).contains("--windows: 1001 (expected: 1 to 1000)");
  }

  private static List<Long> children() {
    return ProcessHandle.current().descendants().map(ProcessHandle::pid).toList();
  }

  private static String run(int exitCode, String... arguments) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int code = UpgradeBenchmark.run(out, arguments);
    String said = bytes.toString(StandardCharsets.UTF_8);
    assertThat(code).as("%s", said).isEqualTo(exitCode);
    return said;
  }
}
