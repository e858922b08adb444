package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.cli.ExitCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code theseus doctor}, {@code completion} and {@code man} as a person runs them. */
@Tag("processes")
class DoctorProcessTest {
  private static final String[] FREE_PORTS = {"--set", "packets.port=0", "--set", "cluster.port=0"};

  @Test
  void shouldLookAtAMachineOnWhichANodeRunsAndDisturbNothing(@TempDir Path work) throws Exception {
    try (TheseusProcess node = TheseusProcess.node(work)) {
      String address = TheseusProcess.runFile(work.resolve("data")).packets();
      String port = address.substring(address.lastIndexOf(':') + 1);
      try (TheseusProcess doctor =
          TheseusProcess.start(
              work, Map.of("LC_ALL", "C.UTF-8"), "doctor", "--set", "packets.port=" + port)) {
        assertThat(doctor.exitCode()).as(doctor.out()).isEqualTo(ExitCode.OK.number());
        assertThat(doctor.out())
            .containsPattern("  ok       fsync +median ")
            .contains(
                address + " is in use, and node node1 runs here, process " + node.process().pid())
            .contains("\nA node can run here");
        assertThat(doctor.err()).isEmpty();
      }
      assertThat(node.process().isAlive()).isTrue();
    }
  }

  @Test
  void shouldAnswerInJsonWhatIsInTheWay(@TempDir Path work) throws Exception {
    Path file = Files.writeString(work.resolve("data"), "x");
    try (TheseusProcess doctor =
        TheseusProcess.start(
            work,
            Map.of("LC_ALL", "C.UTF-8"),
            "doctor",
            "--json",
            FREE_PORTS[0],
            FREE_PORTS[1],
            FREE_PORTS[2],
            FREE_PORTS[3])) {
      assertThat(doctor.exitCode()).isEqualTo(ExitCode.CANT_START.number());
      JsonNode json = new ObjectMapper().readTree(doctor.out());
      assertThat(json.get("ok").asBoolean()).isFalse();
      assertThat(json.get("checks"))
          .anyMatch(
              check ->
                  check.get("check").asText().equals("data directory")
                      && check.get("level").asText().equals("no")
                      && !check.get("remedy").asText().isEmpty());
    }
    assertThat(file).hasContent("x");
  }

  @Test
  void shouldNameASettingThatIsWrong(@TempDir Path work) throws Exception {
    try (TheseusProcess doctor =
        TheseusProcess.start(work, Map.of(), "doctor", "--set", "packets.prot=1")) {
      assertThat(doctor.exitCode()).isEqualTo(ExitCode.CANT_START.number());
      assertThat(doctor.out()).contains("settings  theseus.packets.prot: unknown");
    }
  }

  @Test
  void shouldHaveTheCommandsOfTheNodeInManualAndCompletion(@TempDir Path work) throws Exception {
    try (TheseusProcess man = TheseusProcess.start(work, Map.of(), "man");
        TheseusProcess completion = TheseusProcess.start(work, Map.of(), "completion", "bash")) {
      assertThat(man.exitCode()).isZero();
      assertThat(man.out()).contains(".SS \"theseus node\"\n", ".SS \"theseus doctor\"\n");
      assertThat(completion.exitCode()).isZero();
      assertThat(completion.out()).contains("doctor").contains("complete -F");
    }
  }
}
