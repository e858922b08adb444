package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The script, as a real bash takes it. */
class CompletionCommandTest {
  @Test
  void shouldCompleteCommandsAndOptionsInBash(@TempDir Path directory) throws Exception {
    CommandLine program = Theseus.commandLine();
    StringWriter script = new StringWriter();
    program.setOut(new PrintWriter(script));
    assertThat(program.execute("completion", "bash")).isZero();
    Path file = Files.writeString(directory.resolve("theseus.bash"), script.toString());

    assertThat(completed(file, "theseus", "sta")).containsExactlyInAnyOrder("status", "stat");
    assertThat(completed(file, "theseus", "")).containsAll(program.getSubcommands().keySet());
    assertThat(completed(file, "theseus", "get", "--cont")).containsExactly("--continue");
    assertThat(completed(file, "theseus", "completion", "z")).containsExactly("zsh");
  }

  @Test
  void shouldRefuseAnUnknownShell() {
    CommandLine program = Theseus.commandLine();
    StringWriter err = new StringWriter();
    program.setErr(new PrintWriter(err));

    assertThat(program.execute("completion", "fish")).isEqualTo(ExitCode.USAGE.number());
    assertThat(err.toString()).containsIgnoringCase("[bash, zsh]");
  }

  private static List<String> completed(Path script, String... words) throws Exception {
    String program =
        // outside of a completion the shell's own compopt only complains
        "compopt() { :; }; source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1));"
            + " COMP_LINE=\"$*\"; COMP_POINT=${#COMP_LINE};"
            + " f=$(complete -p theseus | sed 's/.*-F \\([^ ]*\\) .*/\\1/');"
            + " $f theseus \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\";"
            + " printf '%s\\n' \"${COMPREPLY[@]}\"";
    List<String> command = new java.util.ArrayList<>(List.of("bash", "-c", program, "bash"));
    command.add(script.toString());
    command.addAll(List.of(words));
    Process bash = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).as(said).isZero();
    return said.lines().map(String::strip).toList();
  }
}
