package io.theseus.client;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.Texts;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One connection's attempt has ended; whether another one follows is the {@link Route}'s say. */
final class AttemptException extends Exception {
  private static final long serialVersionUID = 1L;

  /** How it ended. */
  enum Reason {
    /** No connection could be made. */
    UNREACHABLE,
    /** The node's certificate is not accepted, or it speaks no TLS: trying again won't help. */
    UNTRUSTED,
    /** The connection ended within the exchange. */
    LOST,
    /** The server owes us something and gave no sign of life. */
    SILENT,
    /** The connection ended before anything answered the command: it was not taken up. */
    NOT_TAKEN_UP,
    /** The server said ERROR. */
    REFUSED,
    /** The server said MIGRATE. */
    MIGRATED
  }

  private final Reason reason;
  private final @Nullable ErrorCode code;
  private final transient @Nullable NodeAddress target;

  private AttemptException(
      Reason reason, String message, @Nullable ErrorCode code, @Nullable NodeAddress target) {
    super(message);
    this.reason = reason;
    this.code = code;
    this.target = target;
  }

  static AttemptException unreachable(String message) {
    return new AttemptException(Reason.UNREACHABLE, message, null, null);
  }

  static AttemptException untrusted(String message) {
    return new AttemptException(Reason.UNTRUSTED, message, null, null);
  }

  static AttemptException lost(String message) {
    return new AttemptException(Reason.LOST, message, null, null);
  }

  static AttemptException silent(String message) {
    return new AttemptException(Reason.SILENT, message, null, null);
  }

  static AttemptException notTakenUp(String message) {
    return new AttemptException(Reason.NOT_TAKEN_UP, message, null, null);
  }

  /** By the text of an ERROR, which is {@code code: message}. */
  static AttemptException refused(String errorText) {
    return new AttemptException(
        Reason.REFUSED, Texts.escape(errorText), ErrorCode.ofText(errorText).orElse(null), null);
  }

  static AttemptException migrated(NodeAddress target) {
    return new AttemptException(Reason.MIGRATED, "moved to " + target, null, target);
  }

  Reason reason() {
    return reason;
  }

  Optional<ErrorCode> code() {
    return Optional.ofNullable(code);
  }

  Optional<NodeAddress> target() {
    return Optional.ofNullable(target);
  }

  /** The message; every exception of this class has one. */
  String text() {
    String message = getMessage();
    return message == null ? reason.name() : message;
  }
}
