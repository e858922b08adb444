package io.theseus.wire;

/** A refusal that goes to the other end as an ERROR packet: {@code code: what was wrong}. */
public final class ProtocolException extends Exception {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  public ProtocolException(ErrorCode code, String message) {
    super(message);
    this.code = code;
  }

  public ErrorCode code() {
    return code;
  }

  /** The text of the ERROR packet. */
  public String errorText() {
    return code.label() + ": " + getMessage();
  }
}
