package io.theseus.net;

import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.session.PayloadPath;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.util.ArrayDeque;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

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
final class GetPump extends Pump {
  /** OFFSETs of a stop-and-wait client that may wait for their DATA. */
  private static final int DEMANDS = 16;

  private final boolean rewindable;
  private final OptionalLong window;
  private final int maxData;

  /** Stop-and-wait: the offsets that were asked for and not sent yet. */
  private final ArrayDeque<Long> demands = new ArrayDeque<>();

  private long epoch;
  private long position;
  private long acked;
  private long end;
  private boolean restarting;
  private boolean complete;

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
    super(generation, offset);
    this.position = offset;
    this.acked = offset;
    this.end = end;
    this.rewindable = rewindable;
    this.window = window;
    this.maxData = maxData;
    this.complete = offset == end;
    if (window.isEmpty()) {
      demands.add(offset);
    }
  }

  long epoch() {
    return epoch;
  }

  /** Where the next DATA begins: all before it is on its way. */
  @Override
  long position() {
    return position;
  }

  @Override
  boolean waits() {
    return grantedAhead() == 0;
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

  /** Whether RESTART was sent and not answered. */
  boolean restarting() {
    return restarting;
  }

  /** Whether the client must wait with further OFFSETs. */
  boolean saturated() {
    return demands.size() >= DEMANDS;
  }

  /** Takes a grant of the current worker for the current place; drops others. */
  void grant(long workerGeneration, long seekEpoch, Range range, @Nullable PayloadPath path) {
    if (seekEpoch == epoch && !restarting) {
      grant(workerGeneration, range, path);
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

  /** The file is another now: nothing goes out until OFFSET(0). */
  void restart(long newEnd, long workerGeneration) {
    obey(workerGeneration);
    end = newEnd;
    restarting = true;
    complete = false;
    demands.clear();
  }

  /**
   * The length of the next DATA, which begins at {@link #position} (a stop-and-wait seek happens
   * here); 0 when none may go out now.
   *
   * @param most the most that the caller wants to send at once
   */
  int next(int most) {
    if (held() || restarting || complete) {
      return 0;
    }
    long limit = Math.min(granted(), end);
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
    moved(position);
    demands.poll();
  }
}
