package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.cli.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code theseus node} and {@code theseus status} as an operator runs them. */
@Tag("processes")
class NodeProcessTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @Test
  void shouldStartSayWhereEverythingIsAndStopInOrder(@TempDir Path work) throws Exception {
    try (TheseusProcess node = TheseusProcess.node(work)) {
      String address = TheseusProcess.runFile(work.resolve("data")).packets();
      assertThat(node.out())
          .contains("node node1")
          .containsPattern("files +" + work.resolve("data/files"))
          .contains("theseus get NAME --server " + address);

      await().atMost(LONG).untilAsserted(() -> assertThat(run(work, "status").code()).isZero());
      Ran status = run(work, "status");
      assertThat(status.out()).startsWith("node node1: all is normal").contains(address);
      JsonNode json = new ObjectMapper().readTree(run(work, "status", "--json").out());
      assertThat(json.at("/normal").asBoolean()).isTrue();
      assertThat(json.at("/pid").asLong()).isEqualTo(node.process().pid());
      assertThat(json.at("/addresses/packets").asText()).isEqualTo(address);

      node.terminate();
      assertThat(node.exitCode()).isEqualTo(143);
      assertThat(node.err().lines())
          .isNotEmpty()
          .allMatch(line -> line.matches("\\d{4}-\\S+ +[A-Z]+ +node1 \\[-\\] .+"));
      assertThat(node.err()).contains("NodeCommand: stopped");
      assertThat(work.resolve("data/run")).isEmptyDirectory();
      assertThat(work.resolve("runtime/theseus")).isEmptyDirectory();
    }
    Ran status = run(work, "status");
    assertThat(status.code()).isEqualTo(ExitCode.UNREACHABLE.number());
    assertThat(status.err())
        .isEqualTo(
            "theseus status: no node of this user runs here; start one: theseus node"
                + System.lineSeparator());
  }

  @Test
  void shouldRefuseASecondNodeOnItsDirectory(@TempDir Path work) throws Exception {
    try (TheseusProcess node = TheseusProcess.node(work)) {
      Ran second = run(work, "node", "--set", "packets.port=0", "--set", "cluster.port=0");

      assertThat(second.code()).isEqualTo(ExitCode.CANT_START.number());
      assertThat(second.err())
          .contains(
              "theseus.data-dir: \""
                  + work.resolve("data")
                  + "\" is in use by node \"node1\", process "
                  + node.process().pid());
      assertThat(run(work, "status").code())
          .isIn(ExitCode.OK.number(), ExitCode.NOT_NORMAL.number());
    }
  }

  @Test
  void shouldStartAgainAfterAKill(@TempDir Path work) throws Exception {
    try (TheseusProcess node = TheseusProcess.node(work)) {
      node.kill();
    }
    assertThat(run(work, "status").code()).isEqualTo(ExitCode.UNREACHABLE.number());
    try (TheseusProcess node = TheseusProcess.node(work)) {
      await().atMost(LONG).untilAsserted(() -> assertThat(run(work, "status").code()).isZero());
      assertThat(node.process().isAlive()).isTrue();
    }
  }

  @Test
  void shouldNameThePortAndItsOwner(@TempDir Path work, @TempDir Path other) throws Exception {
    try (TheseusProcess node = TheseusProcess.node(work)) {
      String address = TheseusProcess.runFile(work.resolve("data")).packets();
      String port = address.substring(address.lastIndexOf(':') + 1);
      Ran second = run(other, "node", "--set", "packets.port=" + port, "--set", "cluster.port=0");

      assertThat(second.code()).isEqualTo(ExitCode.CANT_START.number());
      assertThat(second.err())
          .contains("theseus.packets.port: " + port + " (expected: a free port): " + address)
          .contains("is in use by \"java\", process " + node.process().pid())
          .contains("--set packets.port=PORT");
    }
  }

  @Test
  void shouldRefuseSettingsInOneLine(@TempDir Path work) throws Exception {
    Ran wrong = run(work, "node", "--set", "packets.prot=1");
    assertThat(wrong.code()).isEqualTo(ExitCode.CANT_START.number());
    assertThat(wrong.err().strip())
        .isEqualTo(
            "theseus node: theseus.packets.prot: unknown (expected: a key of application.conf; the"
                + " nearest is theseus.packets.port) [--set]");
    assertThat(wrong.out()).isEmpty();
    assertThat(work.resolve("data")).doesNotExist();

    assertThat(run(work, "node", "--nonsense").code()).isEqualTo(ExitCode.USAGE.number());
    assertThat(run(work).code()).isEqualTo(ExitCode.USAGE.number());
    Ran help = run(work, "node", "--help");
    assertThat(help.code()).isZero();
    assertThat(help.out()).contains("Examples:").contains("--set");
  }

  @Test
  void shouldLogJson(@TempDir Path work) throws Exception {
    try (TheseusProcess node = TheseusProcess.node(work, "--set", "log.format=json")) {
      node.terminate();
      assertThat(node.exitCode()).isEqualTo(143);
      for (String line : node.err().lines().toList()) {
        assertThat(new ObjectMapper().readTree(line).at("/context/properties/node").asText())
            .isEqualTo("node1");
      }
      assertThat(node.err()).contains("stopping");
    }
  }

  @Test
  void shouldTellApartSeveralNodes(@TempDir Path work) throws Exception {
    Path second = Files.writeString(work.resolve("b.conf"), "theseus.data-dir = data/b");
    try (TheseusProcess a =
            TheseusProcess.node(work, "--set", "data-dir=data/a", "--set", "node.id=one");
        TheseusProcess b =
            TheseusProcess.node(work, "--config", "b.conf", "--set", "node.id=two")) {
      Ran status = run(work, "status");
      assertThat(status.code()).isEqualTo(ExitCode.USAGE.number());
      assertThat(status.err())
          .contains("--config FILE")
          .contains("node one (process " + a.process().pid())
          .contains("node two (process " + b.process().pid());

      assertThat(run(work, "status", "--config", second.toString()).out()).startsWith("node two:");
    }
  }

  private record Ran(int code, String out, String err) {}

  private static Ran run(Path work, String... arguments) throws IOException, InterruptedException {
    try (TheseusProcess process = TheseusProcess.start(work, Map.of(), arguments)) {
      int code = process.exitCode();
      return new Ran(code, process.out(), process.err());
    }
  }
}
