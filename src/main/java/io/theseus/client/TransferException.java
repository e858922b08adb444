package io.theseus.client;

import io.theseus.wire.ErrorCode;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A transfer or question that failed for good; the message names what was wrong. */
public final class TransferException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What sort of failure it is; exit codes and advice hang on it. */
  public enum Kind {
    /** The server said ERROR: {@link #code} where it is a code known here. */
    REFUSED,
    /** No node could be reached. */
    CONNECT_FAILED,
    /** Over TLS: a node's certificate is not accepted, or it speaks no TLS. */
    UNTRUSTED,
    /** A connection was lost and the limits of patience are used up; can be resumed. */
    CONNECTION_LOST,
    /** The server broke the protocol. */
    PROTOCOL,
    /** Reading or writing here failed. */
    LOCAL_IO,
    /** The content is not what its SHA-256 says. */
    HASH_MISMATCH,
    /** The server no longer has bytes that it acknowledged. */
    LOST_BYTES,
    /** The file changed and what was passed on already can't be taken back. */
    CHANGED,
    /** Closed or interrupted here; can be resumed. */
    CANCELLED
  }

  private final Kind kind;
  private final @Nullable ErrorCode code;

  TransferException(Kind kind, String message) {
    this(kind, null, message, null);
  }

  TransferException(Kind kind, String message, @Nullable Throwable cause) {
    this(kind, null, message, cause);
  }

  TransferException(
      Kind kind, @Nullable ErrorCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.code = code;
  }

  public Kind kind() {
    return kind;
  }

  /** The code of the server's ERROR, where there was one and it is known here. */
  public Optional<ErrorCode> code() {
    return Optional.ofNullable(code);
  }
}
