package io.theseus.cli;

import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleVersion;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus module build}: a jar of a source. */
@Command(
    name = "build",
    description = {
      "Compiles one Java source against io.theseus.channel and makes a module of it, not signed.",
      "",
      "On one JDK the same source and version make the same jar. Needs a JDK, not only a Java."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus module build MyChannel.java --version 1.0 -o my-channel.jar",
      "  theseus module build my-channel --version 1.1 -o my-channel.jar",
    })
final class ModuleBuildCommand extends JsonCommand {
  @Parameters(
      paramLabel = "SOURCE",
      description = "A file NAME.java, or a directory with one in it.")
  private Path given = Path.of("");

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "JAR",
      description = "The file to write; one that is there is replaced.")
  private Path output = Path.of("");

  @Option(
      names = "--version",
      required = true,
      paramLabel = "VERSION",
      description = "1 to 4 numbers with dots between; higher than what runs.")
  private String version = "";

  ModuleBuildCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run() throws IOException, ModuleException, CommandException {
    ModuleVersion number;
    try {
      number = new ModuleVersion(version);
    } catch (IllegalArgumentException e) {
      throw bad(e);
    }
    ModuleArchive module = ModuleFiles.compile(ModuleFiles.source(given), number, streams.err());
    ModuleFiles.write(output, module.bytes());
    if (json) {
      streams
          .out()
          .println(
              new JsonLine()
                  .put("module", module.descriptor().module())
                  .put("jar", output.toString())
                  .put("sha256", module.sha256()));
      return ExitCode.OK;
    }
    streams
        .out()
        .println(
            module.descriptor().module()
                + " in "
                + Display.name(output.toString())
                + ", not signed");
    return ExitCode.OK;
  }
}
