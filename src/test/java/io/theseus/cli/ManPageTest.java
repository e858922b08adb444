package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class ManPageTest {
  private final CommandLine program = Theseus.commandLine();
  private final String page = ManPage.of(program.getCommandSpec(), "1.2.3");

  @Test
  void shouldHaveEveryCommandWithEveryOption() {
    assertThat(page).startsWith(".TH THESEUS 1 \"\" \"theseus 1.2.3\"\n.SH NAME\ntheseus \\- ");
    for (Map.Entry<String, CommandLine> command : program.getSubcommands().entrySet()) {
      assertThat(page).contains(".SS \"theseus " + command.getKey() + "\"\n");
      for (OptionSpec option : command.getValue().getCommandSpec().options()) {
        if (!option.usageHelp() && !option.versionHelp()) {
          assertThat(page).contains("\\fB" + option.longestName().replace("-", "\\-") + "\\fR");
        }
      }
    }
    assertThat(page).contains(".SS \"theseus module build\"\n", "\\fB\\-\\-expires\\fR");
    for (ExitCode code : ExitCode.values()) {
      assertThat(page).contains(".TP\n\\fB" + code.number() + "\\fR\n");
    }
    assertThat(page).doesNotContain("${").doesNotContain("@|").doesNotContain("%n");
  }

  @Test
  void shouldBeReadByManWithoutAWarning(@TempDir Path directory) throws Exception {
    Path file = Files.writeString(directory.resolve("theseus.1"), page);
    Path err = directory.resolve("err");
    Process man = man(file, err);
    String shown = new String(man.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(man.waitFor()).as(Files.readString(err)).isZero();
    assertThat(err).isEmptyFile();
    assertThat(shown)
        .startsWith("THESEUS(1)")
        .contains("EXIT STATUS", "theseus get", "--continue", "  theseus status --json");
    assertThat(shown.lines()).allMatch(line -> line.length() <= 100);
  }

  private static Process man(Path file, Path err) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder("man", "--warnings", "-E", "UTF-8", "-l", file.toString())
            .redirectError(err.toFile());
    builder.environment().putAll(Map.of("MANWIDTH", "100", "MANPAGER", "cat", "LC_ALL", "C.UTF-8"));
    try {
      return builder.start();
    } catch (IOException e) {
      assumeTrue(false, "man is not installed: skipped");
      throw e;
    }
  }
}
