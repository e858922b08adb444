package io.theseus.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code theseus module}: makes, tries, signs and looks at modules; needs no node. */
@Command(
    name = "module",
    description = "Makes, tries, signs and inspects modules: code that a node runs.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  theseus module new my-channel                      a directory to begin with",
      "  theseus module test my-channel                     does it keep the rules?",
      "  theseus module build my-channel --version 1.0 -o my-channel.jar",
      "  theseus module keygen keys                         once",
      "  theseus module sign my-channel.jar --key keys/module.key",
      "  theseus module inspect my-channel.jar --keys keys/module.pub",
    })
final class ModuleGroup implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  private CommandSpec spec;

  /** With what it does. */
  static void addTo(CommandLine line, Streams streams) {
    line.addSubcommand(
        new CommandLine(new ModuleGroup())
            .addSubcommand(new ModuleNewCommand(streams))
            .addSubcommand(new ModuleTestCommand(streams))
            .addSubcommand(new ModuleBuildCommand(streams))
            .addSubcommand(new ModuleKeygenCommand(streams))
            .addSubcommand(new ModuleSignCommand(streams))
            .addSubcommand(new ModuleInspectCommand(streams)));
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "what to do: missing (expected: new, test, build, keygen, sign, inspect)");
  }
}
