package io.theseus.cli;

import io.theseus.client.ClientSettings;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferException;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * What all commands that talk to a node have in common: options, a client, Ctrl-C, and that every
 * failure ends as one sentence, one line of JSON and one exit code.
 */
abstract class ClientCommand implements Callable<Integer> {
  @Mixin CommonOptions common = new CommonOptions();

  @Spec @Nullable CommandSpec spec;

  final Streams streams;

  ClientCommand(Streams streams) {
    this.streams = streams;
  }

  /** Does the work; failures are thrown. */
  abstract ExitCode run(TheseusClient client)
      throws TransferException, CommandException, IOException;

  /** Settings beyond the common ones. */
  void configure(ClientSettings.Builder settings) {}

  /** Refuses options that don't go together. */
  void check() {}

  /** What Ctrl-C leaves behind and how to go on; empty where nothing was begun. */
  String afterInterrupt() {
    return "";
  }

  @Override
  public final Integer call() {
    ClientSettings settings;
    try {
      check();
      ClientSettings.Builder builder =
          common.settings(streams, line -> streams.err().println(Display.name(line)));
      configure(builder);
      settings = builder.build();
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
    try (TheseusClient client = new TheseusClient(settings);
        Interrupt interrupt = Interrupt.closing(client)) {
      ExitCode exit = attempt(client, interrupt);
      streams.out().flush();
      return exit.number();
    }
  }

  private ExitCode attempt(TheseusClient client, Interrupt interrupt) {
    try {
      return run(client);
    } catch (TransferException e) {
      if (interrupt.happened()) {
        return fail(Failure.of(ExitCode.INTERRUPTED, "interrupted", afterInterrupt()), null);
      }
      return fail(withResume(Failure.of(e), e.kind()), e);
    } catch (CommandException e) {
      return fail(e.failure(), e);
    } catch (InvalidPathException e) {
      return fail(Failure.of(e), e);
    } catch (IOException e) {
      return fail(Failure.of(e), e);
    } catch (ParameterException e) {
      throw e;
    } catch (RuntimeException e) {
      return fail(
          Failure.of(
              ExitCode.INTERNAL,
              "a fault of this program: " + Display.name(e.toString()),
              "--verbose shows where; please report it."),
          e);
    }
  }

  private Failure withResume(Failure failure, TransferException.Kind kind) {
    if (kind != TransferException.Kind.CONNECTION_LOST || afterInterrupt().isEmpty()) {
      return failure;
    }
    return Failure.of(failure.exit(), failure.message(), afterInterrupt() + " " + failure.advice());
  }

  private ExitCode fail(Failure failure, @Nullable Throwable cause) {
    if (common.json) {
      streams.out().println(subject(new JsonLine()).put("outcome", "failed").failure(failure));
    }
    streams
        .err()
        .println(command().getCommandName() + ": " + failure.message().replaceAll("[. ]+$", ""));
    if (!failure.advice().isEmpty()) {
      streams.err().println(failure.advice());
    }
    if (cause != null && common.debug(streams)) {
      cause.printStackTrace(streams.err());
    }
    streams.err().flush();
    return failure.exit();
  }

  /** The beginning of a line of JSON: the command and what it is about. */
  abstract JsonLine subject(JsonLine line);

  /** The progress display that the options and the terminal ask for. */
  final Progress progress(String label, boolean dataOnOut, Screen screen) {
    if (common.quiet) {
      return Progress.none();
    }
    if (dataOnOut && (streams.outIsTerminal() || !streams.errIsTerminal())) {
      return Progress.none();
    }
    if (streams.errIsTerminal() && !common.trace) {
      return Progress.bar(screen, label, streams.unicode());
    }
    return Progress.lines(streams.err()::println, label, Progress.RARE);
  }

  final ParameterException usage(String message) {
    return new ParameterException(command(), message);
  }

  final CommandLine command() {
    if (spec == null) {
      throw new IllegalStateException("command used outside picocli");
    }
    return spec.commandLine();
  }

  /** A name that was typed; a bad one is a usage error. */
  final FileName name(String text) {
    try {
      return FileName.parse(text);
    } catch (ProtocolException e) {
      throw usage("NAME: " + e.getMessage());
    }
  }

  /** A path that was typed. */
  final Path path(String text) {
    return Path.of(text);
  }

  /** The same command again, with this option unless it has it. */
  final String again(String option) {
    CommandLine root = command();
    while (root.getParent() != null) {
      root = root.getParent();
    }
    List<String> arguments = new ArrayList<>();
    arguments.add("theseus");
    arguments.addAll(root.getParseResult().originalArgs());
    if (!arguments.contains(option)) {
      arguments.add(option);
    }
    return Display.commandLine(arguments);
  }
}
