package io.theseus.channel;

/**
 * State that a channel or function leaves to its successor, as bytes of a shape that both know by
 * its version. No object of a module ever goes over: only this.
 */
public final class HandOver {
  /** The longest state, 64 KiB. */
  public static final int MOST = 64 * 1024;

  private final int version;
  private final byte[] state;

  /**
   * State to leave.
   *
   * @param version of the shape; the successor decides whether it knows it
   * @param state at most {@link #MOST} bytes; copied
   */
  public HandOver(int version, byte[] state) {
    if (state.length > MOST) {
      throw new IllegalArgumentException(
          "state: " + state.length + " bytes (expected: at most " + MOST + ")");
    }
    this.version = version;
    this.state = state.clone();
  }

  /** The version of the shape. */
  public int version() {
    return version;
  }

  /** The bytes, a copy. */
  public byte[] state() {
    return state.clone();
  }
}
