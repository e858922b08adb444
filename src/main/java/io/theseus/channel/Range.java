package io.theseus.channel;

/**
 * A range of a transfer's bytes.
 *
 * @param offset its first byte
 * @param length bytes, 1 to {@link #MOST}
 */
public record Range(long offset, int length) {
  /** The longest range, 8 MiB. */
  public static final int MOST = 8 * 1024 * 1024;

  /** The offset behind the last byte. */
  public long end() {
    return offset + length;
  }
}
