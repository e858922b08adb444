package io.theseus.cli;

import io.theseus.module.ModuleException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What the commands of {@code theseus module} share: how they fail. */
abstract class ModuleCommand implements Callable<Integer> {
  private static final String SOURCE = ".java";

  @Option(
      names = "--json",
      description = "One JSON object on standard output, and nothing else there.")
  boolean json;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  boolean help;

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli
  CommandSpec spec;

  final Streams streams;

  ModuleCommand(Streams streams) {
    this.streams = streams;
  }

  abstract ExitCode run() throws IOException, ModuleException, CommandException;

  @Override
  public final Integer call() {
    Failure failure;
    try {
      ExitCode exit = run();
      streams.out().flush();
      return exit.number();
    } catch (ModuleException e) {
      // what a compiler says has lines; names in it were escaped where it was made
      failure = Failure.of(ExitCode.BAD_MODULE, e.getMessage(), "");
    } catch (CommandException e) {
      failure = e.failure();
    } catch (NoSuchFileException e) {
      failure = Failure.of(ExitCode.LOCAL_IO, Failure.reason(e), "");
    } catch (IOException e) {
      failure = Failure.of(e);
    }
    if (json) {
      streams.out().println(new JsonLine().put("command", spec.name()).failure(failure));
      streams.out().flush();
    }
    streams.err().println(spec.qualifiedName() + ": " + failure.message());
    if (!failure.advice().isEmpty()) {
      streams.err().println(failure.advice());
    }
    streams.err().flush();
    return failure.exit().number();
  }

  /** Refuses an argument as picocli does. */
  ParameterException bad(IllegalArgumentException reason) {
    return new ParameterException(spec.commandLine(), String.valueOf(reason.getMessage()), reason);
  }

  /** A Java source, or the only one in a directory. */
  static Path source(Path given) throws IOException, CommandException {
    if (!Files.isDirectory(given)) {
      return given;
    }
    try (Stream<Path> files = Files.list(given)) {
      List<Path> sources = files.filter(each -> each.toString().endsWith(SOURCE)).sorted().toList();
      if (sources.size() == 1) {
        return sources.get(0);
      }
      throw new CommandException(
          ExitCode.USAGE,
          Display.name(given.toString())
              + ": "
              + sources.size()
              + " Java sources (expected: one file NAME.java, which is the module)",
          "");
    }
  }

  /** Writes beside and moves into place, so that nobody ever sees a part of it. */
  static void write(Path file, byte[] content) throws IOException {
    Path fresh = Files.createTempFile(file.toAbsolutePath().resolveSibling(""), ".theseus", ".new");
    try {
      Files.write(fresh, content);
      Files.setPosixFilePermissions(
          fresh, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }
}
