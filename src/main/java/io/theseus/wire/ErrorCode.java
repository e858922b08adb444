package io.theseus.wire;

import java.util.Arrays;
import java.util.Optional;

/** The one catalogue of refusals; every front door maps it once. Numbers are stable. */
public enum ErrorCode {
  /** Framing, an unknown verb, a packet or command out of place. */
  BAD_PACKET(1, "bad-packet", false),
  /** A line without a colon, a bad value, a wrong SHA-256. */
  BAD_FIELD(2, "bad-field", false),
  /** A name that the canonicaliser refuses. */
  BAD_NAME(3, "bad-name", false),
  /** Gap, overlap, window, END, seek, beyond the end. */
  BAD_OFFSET(4, "bad-offset", false),
  /** No such name. */
  NOT_FOUND(5, "not-found", false),
  /** The name is taken, is another's folder, or goes through a file. */
  EXISTS(6, "exists", false),
  /** Not permitted. */
  DENIED(7, "denied", false),
  /** Producer and consumer don't fit. */
  INCOMPATIBLE(8, "incompatible", false),
  /** The file is no longer what it was. */
  CHANGED(9, "changed", false),
  /** Not now; try again or elsewhere. */
  BUSY(10, "busy", true),
  /** No such session, or less of it than the client was told. */
  UNKNOWN_SESSION(11, "unknown-session", true),
  /** A newer connection has the session. */
  SUPERSEDED(12, "superseded", false),
  /** The disk or a quota is full. */
  NO_SPACE(13, "no-space", true),
  /** Silence longer than Idle, or a client that doesn't read. */
  TIMEOUT(14, "timeout", true),
  /** A version of the protocol that is not spoken here. */
  VERSION(15, "version", false),
  /** A fault of the server. */
  INTERNAL(16, "internal", true);

  private final int number;
  private final String label;
  private final boolean retryable;

  ErrorCode(int number, String label, boolean retryable) {
    this.number = number;
    this.label = label;
    this.retryable = retryable;
  }

  /** The stable number, 1 to 16. */
  public int number() {
    return number;
  }

  /** The code as it stands in ERROR text. */
  public String label() {
    return label;
  }

  /** Whether a client may try again, here or at another node. */
  public boolean retryable() {
    return retryable;
  }

  /** The code that begins an ERROR text; empty for codes not known here, which are final. */
  public static Optional<ErrorCode> ofText(String errorText) {
    int colon = errorText.indexOf(':');
    String label = colon < 0 ? errorText : errorText.substring(0, colon);
    return Arrays.stream(values()).filter(code -> code.label.equals(label)).findFirst();
  }
}
