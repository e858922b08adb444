package io.theseus.channel;

/**
 * Where a transfer stands when a data channel is asked for its next range.
 *
 * @param direction which way the bytes go
 * @param position offset in bytes at which the next range begins
 * @param end offset in bytes at which the transfer ends; {@link #UNKNOWN_END} where that is not
 *     known yet
 */
public record Progress(Direction direction, long position, long end) {
  /** The end of a transfer whose size is not known. */
  public static final long UNKNOWN_END = Long.MAX_VALUE;
}
