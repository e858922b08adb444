package io.theseus.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The root of the command line; does nothing by itself. */
@Command(
    name = "theseus",
    description = "A transfer server that can be changed while it runs, and its client.",
    mixinStandardHelpOptions = true,
    versionProvider = Theseus.Version.class,
    subcommands = {StatusCommand.class},
    exitCodeListHeading = "%nExit codes:%n",
    footer = {
      "",
      "Begin with:",
      "  theseus node                     start a node that serves ./data/files",
      "  theseus status                   how it does",
      "  theseus put FILE                 put a file onto it",
      "  theseus ls                       what is there",
      "  theseus get NAME                 get a file from it",
      "  theseus demo                     see a transfer survive kill -9",
      "  theseus COMMAND --help           more about each, with examples",
    })
public final class Theseus implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  /** The command line with all the commands that need no node in this process. */
  public static CommandLine commandLine() {
    return commandLine(Streams.system());
  }

  /** The same, reading and writing elsewhere. */
  static CommandLine commandLine(Streams streams) {
    CommandLine line = new CommandLine(new Theseus());
    line.getCommandSpec().usageMessage().exitCodeList(ExitCode.help());
    TransferCommands.addTo(line, streams);
    line.addSubcommand(new DemoCommand(streams));
    KeygenCommand.addTo(line, streams);
    ModuleGroup.addTo(line, streams);
    AdminGroup.addTo(line, streams);
    line.addSubcommand(new CompletionCommand());
    line.addSubcommand(new ManCommand());
    return line.setCaseInsensitiveEnumValuesAllowed(true)
        .setOut(writer(streams.out()))
        .setErr(writer(streams.err()))
        .setParameterExceptionHandler(Theseus::onBadArguments);
  }

  /** The version of this program, as in the jar's manifest. */
  public static String version() {
    return Optional.ofNullable(Theseus.class.getPackage().getImplementationVersion())
        .orElse("development");
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "COMMAND: missing (expected: one that `theseus --help` lists)");
  }

  /** One sentence, what was probably meant, and where to read on; never the whole help. */
  private static int onBadArguments(ParameterException failure, String[] arguments) {
    CommandLine command = failure.getCommandLine();
    PrintWriter err = command.getErr();
    String name = command.getCommandSpec().qualifiedName();
    err.println(name + ": " + Display.name(String.valueOf(failure.getMessage())));
    if (failure instanceof UnmatchedArgumentException unmatched) {
      List<String> meant = unmatched.getSuggestions();
      if (!meant.isEmpty()) {
        err.println("Did you mean: " + String.join(" or ", meant) + "?");
      }
    }
    err.println("Try: " + name + " --help");
    return ExitCode.USAGE.number();
  }

  /** A writer that leaves the encoding to the stream. */
  private static PrintWriter writer(PrintStream stream) {
    Writer through =
        new Writer() {
          @Override
          public void write(char[] text, int from, int length) {
            stream.print(new String(text, from, length));
          }

          @Override
          public void flush() {
            stream.flush();
          }

          @Override
          public void close() {
            stream.flush();
          }
        };
    return new PrintWriter(through, true);
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
