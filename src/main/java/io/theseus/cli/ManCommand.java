package io.theseus.cli;

import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code theseus man}: prints the manual page. */
@Command(
    name = "man",
    description = "Prints the manual page of all commands, theseus(1).",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus man | man -l -",
      "  theseus man > /usr/local/share/man/man1/theseus.1     then: man theseus",
    })
final class ManCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    out.print(ManPage.of(spec.root(), Theseus.version()));
    out.flush();
  }
}
