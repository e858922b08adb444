package io.theseus.cli;

import io.theseus.module.ModuleException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What commands share that answer with text or with one JSON object: how they fail. */
abstract class JsonCommand implements Callable<Integer> {
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

  JsonCommand(Streams streams) {
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
}
