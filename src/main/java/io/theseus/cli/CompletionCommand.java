package io.theseus.cli;

import java.io.PrintWriter;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code theseus completion}: prints the script by which a shell completes commands and options.
 */
@Command(
    name = "completion",
    description = "Prints a script that lets a shell complete commands and options.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(theseus completion bash)             for this shell",
      "  theseus completion bash > ~/.local/share/bash-completion/completions/theseus",
      "                                                for all that begin from now on",
    })
final class CompletionCommand implements Runnable {
  /** Shells that it is for. */
  enum Shell {
    BASH,
    ZSH;

    @Override
    public String toString() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  @Parameters(
      paramLabel = "SHELL",
      description = "${COMPLETION-CANDIDATES}; one script does for both.")
  @SuppressWarnings("UnusedVariable") // checked by picocli
  private Shell shell = Shell.BASH;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    out.print(AutoComplete.bash("theseus", spec.root().commandLine()));
    out.flush();
  }
}
