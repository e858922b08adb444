package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HelpTest {
  private static Shell shell(Path dir) {
    return new Shell("127.0.0.1:1", dir);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "get",
        "put",
        "ls",
        "stat",
        "rm",
        "demo",
        "status",
        "keygen",
        "module",
        "admin",
        "admin upgrade",
        "admin promote",
        "admin rollback",
        "admin undo",
        "admin pause",
        "admin resume",
        "admin history",
        "admin revisions",
        "admin status",
        "admin sessions",
        "admin kill",
        "admin stop-accepting",
        "admin accept",
        "admin backups",
        "admin backups drain",
        "admin backups close",
        "admin backups open"
      })
  void shouldTeachWithExamples(String command, @TempDir Path dir) {
    Shell.Ran ran = shell(dir).runExactly((command + " --help").split(" "));

    assertThat(ran.exit()).isZero();
    assertThat(ran.err()).isEmpty();
    List<String> lines = ran.lines();
    assertThat(lines.get(0)).startsWith("Usage: theseus " + command);
    assertThat(lines).contains("Examples:");
    assertThat(lines.subList(lines.indexOf("Examples:") + 1, lines.size()))
        .as("no example is wrapped")
        .allMatch(line -> line.startsWith("  "));
    assertThat(lines).filteredOn(line -> line.startsWith("  theseus ")).hasSizeBetween(2, 7);
    assertThat(lines).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100));
    assertThat(ran.out()).doesNotContain("null").doesNotContain("${");
  }

  @ParameterizedTest
  @ValueSource(strings = {"get", "put", "ls", "stat", "rm"})
  void shouldListTheExitCodes(String command, @TempDir Path dir) {
    Shell.Ran ran = shell(dir).runExactly(command, "--help");

    for (ExitCode code : ExitCode.values()) {
      assertThat(ran.out().replaceAll("\\s+", " ")).contains(code.number() + " " + code.meaning());
    }
  }

  @Test
  void shouldNameEveryCommandInTheRoot(@TempDir Path dir) {
    assertThat(shell(dir).runExactly("--help").out())
        .contains(
            "get ",
            "put ",
            "ls ",
            "stat ",
            "rm ",
            "status ",
            "demo ",
            "keygen ",
            "module ",
            "admin ",
            "Exit codes:");
  }

  @Test
  void shouldShowGetAsItIs(@TempDir Path dir) {
    assertThat(shell(dir).runExactly("get", "--help").out())
        .startsWith(
            """
            Usage: theseus get [-cfhqr] [--json] [--tls] [--trace] [--verbose]
            """)
        .contains("THESEUS_SERVER, or 127.0.0.1.")
        .contains(
            """
            Examples:
              theseus get photos/a.jpg                 into ./a.jpg
              theseus get backup.tar -o - | tar x      into a pipe
              theseus get big.iso --continue           go on after Ctrl-C or a failure
              theseus get -r photos/2026 -o album      all below photos/2026/ into ./album
            """);
  }
}
