package io.theseus.wire;

/** A refusal that goes to the other end as an ERROR packet: {@code code: what was wrong}. */
public final class ProtocolException extends Exception {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final String reason;

  public ProtocolException(ErrorCode code, String reason) {
    super(reason);
    this.code = code;
    this.reason = reason;
  }

  public ErrorCode code() {
    return code;
  }

  /** What was wrong and what was expected, without the code. */
  public String reason() {
    return reason;
  }

  /** The text of the ERROR packet. */
  public String errorText() {
    return code.label() + ": " + reason;
  }
}
