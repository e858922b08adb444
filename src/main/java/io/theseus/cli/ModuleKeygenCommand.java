package io.theseus.cli;

import io.theseus.module.ModuleKey;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code theseus module keygen}: a key that signs modules. */
@Command(
    name = "keygen",
    description = {
      "Makes a key pair for modules: DIR/module.key signs, DIR/module.pub goes to the nodes"
          + " (theseus.modules.keys).",
      "",
      "Who has module.key can run code on all of them: it belongs on none."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus module keygen keys",
      "  theseus module sign my-channel.jar --key keys/module.key",
    })
final class ModuleKeygenCommand extends JsonCommand {
  @Parameters(paramLabel = "DIR", description = "Where they go; made where it is missing.")
  private Path directory = Path.of("");

  ModuleKeygenCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run() throws IOException, CommandException {
    ModuleKey key = ModuleKey.make();
    Path secret = directory.resolve("module.key");
    Path open = directory.resolve("module.pub");
    new NewFiles().add(secret, key.secretPem()).add(open, key.openPem()).write();
    if (json) {
      streams
          .out()
          .println(
              new JsonLine()
                  .put("id", key.id())
                  .put("key", secret.toString())
                  .put("public", open.toString()));
      return ExitCode.OK;
    }
    streams.out().println("key " + key.id());
    streams
        .out()
        .println(
            "Nodes accept what it signs with: theseus.modules.keys = [\""
                + Display.name(open.toAbsolutePath().normalize().toString())
                + "\"]");
    streams
        .out()
        .println(
            "Sign: "
                + Display.commandLine(
                    List.of("theseus", "module", "sign", "JAR", "--key", secret.toString())));
    return ExitCode.OK;
  }
}
