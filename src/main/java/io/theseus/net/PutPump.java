package io.theseus.net;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;

/**
 * Checks the DATA of a PUT and decides what is acknowledged: a pure state machine.
 *
 * <p>Inputs: headers and payload of DATA, END, grants, what became durable. Outputs: whether the
 * packet at hand may be taken ({@link #mayTake}), what is to become durable ({@link #checkpoint}),
 * which OFFSET goes out ({@link #durable}).
 *
 * <p>Three numbers are kept apart: {@code received} (in order), {@code position} (handed to the
 * upload, past the functions that look at the bytes: a successor goes on there) and {@code acked}
 * (the last OFFSET: durable).
 */
final class PutPump extends Pump {
  private final long window;
  private long received;
  private long position;
  private long packetEnd;

  /** The end of a packet that was not handed on yet, or of the last that was. */
  private long nextBoundary;

  /** The end of the last packet that was handed on, as far as it is known. */
  private long boundary;

  private long acked;
  private long requested;
  private long end;
  private final boolean sized;
  private boolean ended;

  /**
   * A PUT that begins at an offset.
   *
   * @param end size in bytes, {@link io.theseus.channel.Progress#UNKNOWN_END} until END tells it
   * @param window bytes in flight past the last OFFSET
   */
  PutPump(long offset, long end, long window, long generation) {
    super(generation, offset);
    this.received = offset;
    this.position = offset;
    this.packetEnd = offset;
    this.nextBoundary = offset;
    this.boundary = offset;
    this.acked = offset;
    this.requested = offset;
    this.end = end;
    this.sized = end != io.theseus.channel.Progress.UNKNOWN_END;
    this.ended = sized && offset == end;
    this.window = window;
  }

  /** Handed to the upload. */
  @Override
  long position() {
    return position;
  }

  /** Whether bytes wait for functions to look at them. */
  boolean passing() {
    return position < received;
  }

  /** The last OFFSET that went out. */
  long acked() {
    return acked;
  }

  long end() {
    return end;
  }

  /** The checkpoint that was asked for last; 0 for none. */
  long requested() {
    return requested;
  }

  /** Whether a DATA was begun and is not whole yet. */
  boolean midPacket() {
    return packetEnd > received;
  }

  /** Whether all bytes, and END where it was due, have come. */
  boolean whole() {
    return ended && received == end;
  }

  /** Whether they have all been handed to the upload, too. */
  boolean finished() {
    return ended && position == end;
  }

  /** Whether the packet at hand waits for a grant. */
  boolean starved() {
    return midPacket() && packetEnd > granted();
  }

  @Override
  boolean waits() {
    return starved() || passing();
  }

  /** Whether input may be taken: a packet only when the whole of it is granted. */
  boolean mayTake() {
    if (midPacket()) {
      return packetEnd <= granted();
    }
    return !held();
  }

  /** Takes the header of a DATA. */
  void data(long offset, int length) throws ProtocolException {
    if (ended) {
      throw new ProtocolException(
          ErrorCode.BAD_PACKET, "DATA at " + offset + " behind the end (expected: none)");
    }
    if (offset != received) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "DATA at " + offset + " (expected: at " + received + ", where the last one ended)");
    }
    long dataEnd = offset + length;
    if (dataEnd > end) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "DATA up to " + dataEnd + " (expected: at most the Size, " + end + ")");
    }
    if (dataEnd - acked > window) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "DATA up to "
              + dataEnd
              + " (expected: at most "
              + (acked + window)
              + ", the Window of "
              + window
              + " past the last OFFSET)");
    }
    packetEnd = dataEnd;
  }

  /** Takes payload of the DATA at hand. */
  void received(int length) {
    received += length;
    ended = ended || (sized && received == end);
    if (!midPacket() && nextBoundary <= position) {
      nextBoundary = received;
    }
  }

  /** What was received next is with the upload. */
  void handedOn(int length) {
    position += length;
    moved(position);
    if (position == received && !midPacket()) {
      nextBoundary = received;
    }
    if (position >= nextBoundary) {
      boundary = nextBoundary;
    }
  }

  /** Takes END. One that repeats the size of a PUT that is whole already changes nothing. */
  void end(long size) throws ProtocolException {
    boolean fits = size == received && (!sized || size == end);
    if (!fits) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET,
          "END with Size: "
              + size
              + " (expected: "
              + (sized
                  ? end + ", the Size of the PUT, behind its last byte"
                  : received + ", the offset reached")
              + ")");
    }
    end = size;
    ended = true;
  }

  /** Whether the hold has taken effect. */
  boolean standsStill() {
    return held() && (stranded() || (!midPacket() && !passing()));
  }

  /**
   * Asks for a checkpoint where one is due: at packet boundaries only, because a client that takes
   * an OFFSET for a demand, as without a window, must not meet one within its packet.
   *
   * @param quiet whether no DATA came for a while
   * @return whether {@link #requested} rose
   */
  boolean checkpoint(boolean quiet) {
    if (finished() || midPacket() || boundary == requested) {
      return false; // the commit makes the rest durable
    }
    if (quiet || boundary - requested >= window / 2) {
      requested = boundary;
      return true;
    }
    return false;
  }

  /** All before the offset is durable; whether OFFSET goes out. */
  boolean durable(long offset) {
    if (offset <= acked) {
      return false;
    }
    acked = offset;
    return true;
  }
}
