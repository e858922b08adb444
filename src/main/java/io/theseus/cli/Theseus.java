package io.theseus.cli;

import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The root of the command line; does nothing by itself. */
@Command(
    name = "theseus",
    description = "A transfer server that can be changed while it runs, and its client.",
    mixinStandardHelpOptions = true,
    versionProvider = Theseus.Version.class,
    subcommands = {StatusCommand.class},
    footer = {
      "",
      "Begin with:",
      "  theseus node                     start a node that serves ./data/files",
      "  theseus status                   how it does",
    })
public final class Theseus implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  /** The command line with all the commands that need no node in this process. */
  public static CommandLine commandLine() {
    return new CommandLine(new Theseus()).setCaseInsensitiveEnumValuesAllowed(true);
  }

  /** The version of this program, as in the jar's manifest. */
  public static String version() {
    return Optional.ofNullable(Theseus.class.getPackage().getImplementationVersion())
        .orElse("development");
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command? (expected: one of these)");
  }

  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        "theseus " + version(), "Java " + Runtime.version() + ", " + System.getProperty("os.arch")
      };
    }
  }
}
