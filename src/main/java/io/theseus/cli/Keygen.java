package io.theseus.cli;

import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;

/** What the commands of {@code theseus keygen} share: files are written, then it is said. */
final class Keygen {
  private Keygen() {}

  /** Says what was made, and what to do now. */
  interface Saying {
    void say(NewFiles files) throws IOException;
  }

  static int write(CommandSpec spec, Streams streams, NewFiles files, Saying saying) {
    Failure failure;
    try {
      files.write();
      saying.say(files);
      streams.out().flush();
      return ExitCode.OK.number();
    } catch (CommandException e) {
      failure = e.failure();
    } catch (IOException e) {
      failure = Failure.of(e);
    }
    streams.err().println(spec.qualifiedName() + ": " + failure.message());
    if (!failure.advice().isEmpty()) {
      streams.err().println(failure.advice());
    }
    streams.err().flush();
    return failure.exit().number();
  }
}
