package io.theseus.net;

import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.util.ArrayDeque;
import java.util.OptionalLong;

/**
 * Decides which DATA of a GET goes out next: a pure state machine, without a socket or a clock.
 *
 * <p>Inputs: grants, the client's OFFSETs, holds and switches. Output: {@link #next}, the length of
 * the next DATA, which begins at {@link #position}. With a window up to that many bytes are in
 * flight past the last OFFSET; without one every OFFSET below the size asks for exactly one DATA.
 *
 * <p>Two numbers are kept apart: {@code position} (committed: a successor goes on there) and {@code
 * acked} (a lost connection goes on there). A seek moves both, voids what was granted and raises
 * the seek epoch, so that grants for the old place are dropped.
 */
final class GetPump {
  /** OFFSETs of a stop-and-wait client that may wait for their DATA. */
  private static final int DEMANDS = 16;

  private final boolean rewindable;
  private final OptionalLong window;
  private final int maxData;

  /** Stop-and-wait: the offsets that were asked for and not sent yet. */
  private final ArrayDeque<Long> demands = new ArrayDeque<>();

  private long generation;
  private long epoch;
  private long position;
  private long acked;
  private long granted;
  private long end;
  private boolean held;
  private boolean restarting;
  private boolean complete;

  /** Whether what is granted is an older worker's word, which the next one's first replaces. */
  private boolean inherited;

  /**
   * A GET that begins at an offset.
   *
   * @param end size in bytes, {@link Progress#UNKNOWN_END} where it is not known
   * @param window bytes in flight, at most 2^40; empty for stop-and-wait
   * @param maxData most bytes in a DATA
   */
  GetPump(
      long offset,
      long end,
      boolean rewindable,
      OptionalLong window,
      int maxData,
      long generation) {
    this.position = offset;
    this.acked = offset;
    this.granted = offset;
    this.end = end;
    this.rewindable = rewindable;
    this.window = window;
    this.maxData = maxData;
    this.generation = generation;
    this.complete = offset == end;
    if (window.isEmpty()) {
      demands.add(offset);
    }
  }

  long generation() {
    return generation;
  }

  long epoch() {
    return epoch;
  }

  /** Where the next DATA begins: all before it is on its way. */
  long position() {
    return position;
  }

  /** The last OFFSET. */
  long acked() {
    return acked;
  }

  long end() {
    return end;
  }

  /** Whether OFFSET(size) came: COMPLETE is due. */
  boolean complete() {
    return complete;
  }

  boolean held() {
    return held;
  }

  /** Whether RESTART was sent and not answered. */
  boolean restarting() {
    return restarting;
  }

  /** Bytes that are granted and not sent. */
  long grantedAhead() {
    return granted - position;
  }

  /** Whether the client must wait with further OFFSETs. */
  boolean saturated() {
    return demands.size() >= DEMANDS;
  }

  /** Takes a grant of the current worker for the current place; drops others. */
  void grant(long workerGeneration, long seekEpoch, Range range) {
    boolean current = workerGeneration == generation && seekEpoch == epoch && !restarting;
    if (!current || range.offset() > granted) {
      return;
    }
    if (inherited && range.offset() <= position && range.end() > position) {
      inherited = false;
      granted = range.end();
    } else if (range.end() > granted) {
      granted = range.end();
    }
  }

  /** Takes an OFFSET of the client. */
  void offset(long offset) throws ProtocolException {
    if (restarting) {
      if (offset == 0) {
        restarting = false;
        seek(0);
        complete = end == 0;
        if (window.isEmpty() && !complete) {
          demands.add(0L);
        }
      }
      return;
    }
    if (offset > end) {
      throw new ProtocolException(
          ErrorCode.BAD_OFFSET, "OFFSET: " + offset + " (expected: at most the size, " + end + ")");
    }
    if (!rewindable && (offset < acked || offset > position)) {
      throw unreachable(offset);
    }
    if (window.isEmpty()) {
      demand(offset);
    } else if (offset == end) {
      acked = offset;
      complete = true;
    } else if (offset > acked && offset <= position) {
      acked = offset;
    } else if (offset != acked) {
      if (!rewindable) {
        throw unreachable(offset);
      }
      seek(offset);
    }
  }

  private void demand(long offset) throws ProtocolException {
    if (!rewindable && (offset != position || !demands.isEmpty())) {
      throw unreachable(offset);
    }
    if (offset == end && demands.isEmpty()) {
      acked = offset;
      complete = true;
      return;
    }
    demands.add(offset);
  }

  private ProtocolException unreachable(long offset) {
    return new ProtocolException(
        ErrorCode.BAD_OFFSET,
        "OFFSET: "
            + offset
            + " (expected: "
            + (window.isEmpty() ? position : acked)
            + " to "
            + position
            + ", because the producer is a live stream)");
  }

  private void seek(long offset) {
    position = offset;
    acked = offset;
    forget();
    epoch++;
  }

  /** Fixes an end that was unknown. */
  void end(long size) {
    end = size;
    complete = acked == size && position == size;
  }

  /** Stands still at the next packet boundary, which is now. */
  void hold() {
    held = true;
  }

  /** Obeys another worker; what older ones granted is forgotten. */
  void swap(long workerGeneration) {
    generation = workerGeneration;
    held = false;
    forget();
  }

  /**
   * Obeys another worker in the middle of the transfer: what older ones granted is good until its
   * first word, so nobody waits for it. Behind a hold it is forgotten.
   */
  void succeed(long workerGeneration) {
    if (held) {
      swap(workerGeneration);
    } else {
      generation = workerGeneration;
      inherited = true;
    }
  }

  /** The first word of a successor, where it grants nothing yet. */
  void revoke(long workerGeneration) {
    if (workerGeneration == generation && inherited) {
      forget();
    }
  }

  private void forget() {
    granted = position;
    inherited = false;
  }

  /** The file is another now: nothing goes out until OFFSET(0). */
  void restart(long newEnd, long workerGeneration) {
    generation = workerGeneration;
    end = newEnd;
    restarting = true;
    complete = false;
    forget();
    demands.clear();
  }

  /**
   * The length of the next DATA, which begins at {@link #position} (a stop-and-wait seek happens
   * here); 0 when none may go out now.
   *
   * @param most the most that the caller wants to send at once
   */
  int next(int most) {
    if (held || restarting || complete) {
      return 0;
    }
    long limit = Math.min(granted, end);
    if (window.isPresent()) {
      limit = Math.min(limit, acked + window.getAsLong());
    } else {
      Long demand = demands.peek();
      if (demand == null) {
        return 0;
      }
      if (demand == end) {
        demands.clear();
        acked = end;
        complete = true;
        return 0;
      }
      if (demand != position) {
        seek(demand);
        return 0;
      }
      acked = demand;
    }
    return (int) Math.max(0, Math.min(limit - position, Math.min(most, maxData)));
  }

  /** The DATA that {@link #next} spoke of is on its way. */
  void sent(int length) {
    position += length;
    demands.poll();
  }
}
