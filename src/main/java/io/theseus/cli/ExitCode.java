package io.theseus.cli;

/** What the process returns; scripts rely on the numbers. */
public final class ExitCode {
  /** Done; for {@code status}: the node runs and every part of it is normal. */
  public static final int OK = 0;

  /** {@code status}: the node runs, and a part of it is not normal. */
  public static final int NOT_NORMAL = 1;

  /** The arguments can't be understood, or {@code status} can't tell which node is meant. */
  public static final int USAGE = 2;

  /** A node can't start, or its configuration is wrong. */
  public static final int CANT_START = 3;

  /** {@code status}: no node runs, or it does not answer. */
  public static final int NOT_RUNNING = 4;

  private ExitCode() {}
}
