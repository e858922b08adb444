package io.theseus.cli;

/** Ends a command with a failure that is already in words. */
final class CommandException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient Failure failure;

  CommandException(Failure failure) {
    super(failure.message());
    this.failure = failure;
  }

  CommandException(ExitCode exit, String message, String advice) {
    this(Failure.of(exit, message, advice));
  }

  Failure failure() {
    return failure;
  }
}
