package io.theseus.cli;

import io.theseus.client.TransferException;
import io.theseus.wire.ErrorCode;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Optional;

/**
 * Why a command failed, as a sentence, and what can be done; the one place where a failure becomes
 * words.
 *
 * @param message what was wrong, safe for a terminal
 * @param advice what to do now; may be empty
 */
record Failure(ExitCode exit, Optional<ErrorCode> code, String message, String advice) {

  static Failure of(ExitCode exit, String message, String advice) {
    return new Failure(exit, Optional.empty(), message, advice);
  }

  static Failure of(TransferException failure) {
    ExitCode exit = ExitCode.of(failure);
    String message = failure.getMessage() == null ? exit.meaning() : failure.getMessage();
    if (exit == ExitCode.LOCAL_IO && message.endsWith("Broken pipe")) {
      return of(exit, "nobody reads any more what is written (broken pipe)", "");
    }
    String advice = advice(failure);
    // a node may say it already, and better
    boolean said = exit == ExitCode.NOT_FOUND && message.contains("theseus ls");
    return new Failure(exit, failure.code(), Display.name(message), said ? "" : advice);
  }

  static Failure of(IOException failure) {
    return of(ExitCode.LOCAL_IO, reason(failure), "");
  }

  static Failure of(InvalidPathException failure) {
    return of(
        ExitCode.LOCAL_IO,
        "file name "
            + Display.name(failure.getInput())
            + ": can't be written in this locale (expected: one with UTF-8)",
        "Set LC_ALL=C.UTF-8 and try again.");
  }

  /** Whether the files that follow would fail in the same way. */
  boolean endsAll() {
    return switch (exit) {
      case UNREACHABLE, PROTOCOL, INTERRUPTED, INTERNAL, NO_SPACE -> true;
      default -> false;
    };
  }

  /** What Java's exceptions for files mean, in words. */
  static String reason(IOException failure) {
    if (failure instanceof FileSystemException file && file.getFile() != null) {
      return Display.name(file.getFile()) + ": " + fileReason(file);
    }
    return failure.getMessage() == null ? failure.toString() : Display.name(failure.getMessage());
  }

  private static String fileReason(FileSystemException failure) {
    if (failure instanceof NoSuchFileException) {
      return "there is no such file or directory";
    }
    if (failure instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (failure instanceof FileAlreadyExistsException) {
      return "exists already";
    }
    if (failure instanceof NotDirectoryException) {
      return "not a directory";
    }
    if (failure instanceof DirectoryNotEmptyException) {
      return "a directory that is not empty";
    }
    String reason = failure.getReason();
    return reason == null ? failure.getClass().getSimpleName() : Display.name(reason);
  }

  private static String advice(TransferException failure) {
    return switch (failure.kind()) {
      case CONNECT_FAILED ->
          "Is a node running there? `theseus node` starts one; --server host:port or the variable"
              + " THESEUS_SERVER names another; --retry-for 5m waits for it.";
      case UNTRUSTED ->
          "--ca FILE names who signs the nodes' certificates; --server has to name a host that"
              + " stands in the node's.";
      case CONNECTION_LOST -> "--retry-for 30m would wait longer.";
      case HASH_MISMATCH ->
          "What came was not kept. Try again; if it fails again, the file on the node is damaged.";
      case LOST_BYTES -> "Put the file again, and tell who runs the node: it lost data.";
      case CHANGED -> "The file was replaced while it was read. Try again.";
      case REFUSED -> failure.code().map(Failure::advice).orElse("");
      case PROTOCOL -> "--trace shows the packets.";
      case LOCAL_IO, CANCELLED -> "";
    };
  }

  private static String advice(ErrorCode code) {
    return switch (code) {
      case NOT_FOUND -> "`theseus ls` shows what is there.";
      case EXISTS ->
          "The name is taken. Take another one, or replace what is there: leave out --if-absent.";
      case CHANGED -> "`theseus stat NAME` shows the identity that it has now.";
      case DENIED -> "A token goes with --token-file FILE; who runs the node says what it may do.";
      case INCOMPATIBLE -> "Get it into a pipe or standard output (-o -), or from its beginning.";
      case BUSY, TIMEOUT -> "Try again later; --retry-for 10m keeps trying.";
      case SUPERSEDED -> "Another client goes on with this transfer; let it, or stop it there.";
      case NO_SPACE -> "Make room on the node, or put it on another one (--server).";
      case UNKNOWN_SESSION -> "The node no longer knows the unfinished transfer: put it again.";
      case BAD_NAME ->
          "Names are paths such as photos/2026/a.jpg: no leading /, no . or .., no backslash.";
      case BAD_PACKET, BAD_FIELD, BAD_OFFSET -> "--trace shows the packets.";
      case VERSION -> "Use a client and a node of the same release.";
      case INTERNAL -> "The node's log says more.";
    };
  }
}
