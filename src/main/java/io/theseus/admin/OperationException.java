package io.theseus.admin;

/** What can't be done, in words for the operator. */
public final class OperationException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Whether the cluster, or a node, could not be reached: asking again later may help. */
  private final boolean unreachable;

  /** What was refused. */
  public OperationException(String message) {
    this(message, /* unreachable= */ false);
  }

  /** What was refused, or could not be asked. */
  public OperationException(String message, boolean unreachable) {
    super(message);
    this.unreachable = unreachable;
  }

  public boolean isUnreachable() {
    return unreachable;
  }
}
