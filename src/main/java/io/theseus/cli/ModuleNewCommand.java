package io.theseus.cli;

import io.theseus.module.ComponentKind;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code theseus module new}: something to begin with. */
@Command(
    name = "new",
    description = {
      "Makes a directory with a module that works: a Java source, two recorded transfers as its test,"
          + " and a page that says what to do with them."
    },
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  theseus module new my-channel",
      "  theseus module new guard --kind admission",
    })
final class ModuleNewCommand extends JsonCommand {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");
  private static final int MOST_NAME = 64;

  @Parameters(
      paramLabel = "NAME",
      description = "The directory, whose last part is the module's name: a-z 0-9 and -.")
  private Path directory = Path.of("");

  @Option(
      names = "--kind",
      paramLabel = "KIND",
      defaultValue = "channel",
      description = "channel, function, admission, fairness or backup. Default: ${DEFAULT-VALUE}.")
  private ComponentKind kind = ComponentKind.CHANNEL;

  ModuleNewCommand(Streams streams) {
    super(streams);
  }

  @Override
  ExitCode run() throws IOException, CommandException {
    String name = String.valueOf(directory.getFileName());
    if (name.length() > MOST_NAME || !NAME.matcher(name).matches()) {
      throw bad(
          new IllegalArgumentException(
              "NAME: " + Texts.quote(name) + " (expected: 1 to 64 of a-z 0-9, with - between)"));
    }
    String className =
        Arrays.stream(name.split("-"))
            .map(each -> Character.toUpperCase(each.charAt(0)) + each.substring(1))
            .collect(Collectors.joining());
    if (ModuleSkeleton.isTaken(kind, className)) {
      throw bad(
          new IllegalArgumentException(
              "NAME: "
                  + Texts.quote(name)
                  + " makes class "
                  + className
                  + ", which there is already (expected: another name)"));
    }
    Map<String, String> files = ModuleSkeleton.files(kind, name, className);
    try {
      if (directory.getParent() != null) {
        Files.createDirectories(directory.getParent());
      }
      Files.createDirectory(directory);
    } catch (FileAlreadyExistsException e) {
      throw new CommandException(
          ExitCode.PRECONDITION,
          Texts.quote(directory.toString()) + " exists already (expected: nothing there)",
          "");
    }
    for (Map.Entry<String, String> each : files.entrySet()) {
      Files.writeString(directory.resolve(each.getKey()), each.getValue());
    }
    if (json) {
      streams
          .out()
          .println(
              new JsonLine()
                  .put("directory", directory.toString())
                  .put("files", files.keySet().stream().sorted().toList()));
      return ExitCode.OK;
    }
    streams.out().println("Made " + directory.resolve(className + ".java") + ". Try it:");
    streams
        .out()
        .println(
            "  " + Display.commandLine(List.of("theseus", "module", "test", directory.toString())));
    return ExitCode.OK;
  }
}
