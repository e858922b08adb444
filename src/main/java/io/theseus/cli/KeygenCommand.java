package io.theseus.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code theseus keygen}: makes certificates and tokens. */
@Command(
    name = "keygen",
    description = "Makes certificates, keys and tokens; never overwrites anything.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  theseus keygen lab lab                          for one node on this host",
      "  theseus keygen lab keys --host a.example --host b.example --host c.example",
      "  theseus keygen token alice >> tokens      and alice's token into alice.token",
    })
final class KeygenCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  /** With what it makes. */
  static void addTo(CommandLine line, Streams streams) {
    line.addSubcommand(
        new CommandLine(new KeygenCommand())
            .addSubcommand(new KeygenLabCommand(streams))
            .addSubcommand(new KeygenTokenCommand(streams)));
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "what to make: missing (expected: lab, token)");
  }
}
