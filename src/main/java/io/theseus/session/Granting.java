package io.theseus.session;

import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.module.Revision;
import io.theseus.steps.Steps;
import org.jspecify.annotations.Nullable;

/**
 * Asks a {@link DataChannel} for ranges and grants them to a connection, as far ahead of what is
 * committed as a packet may need.
 *
 * <p>Throws what the channel throws, and {@link IllegalStateException} where it returns a range
 * that does not begin where it must.
 */
final class Granting {
  /** Grants reach at least this far past what is committed, so that the longest packet fits. */
  static final int AHEAD = 16 * 1024 * 1024;

  private final SessionLink link;
  private final Direction direction;
  private final DataChannel channel;
  private final long generation;
  private final String module;
  private final String worker;
  private final Steps steps;
  private final Bandwidth.@Nullable Portion portion;
  private long seekEpoch;
  private long granted;

  /**
   * Begins at an offset.
   *
   * @param worker name of the worker that grants
   * @param portion of the bandwidth; null where that is not limited
   */
  Granting(
      SessionLink link,
      Direction direction,
      Revision revision,
      long generation,
      long seekEpoch,
      long position,
      String worker,
      Bandwidth.@Nullable Portion portion,
      Steps steps) {
    this.link = link;
    this.direction = direction;
    this.channel = revision.openBuiltIn();
    this.generation = generation;
    this.module = revision.module();
    this.worker = worker;
    this.portion = portion;
    this.steps = steps;
    this.seekEpoch = seekEpoch;
    this.granted = position;
    steps.at("worker.started");
  }

  /**
   * Takes where the transfer stands, grants what that allows.
   *
   * @param epoch +1 for each seek; a new one voids what was granted
   * @param position committed offset in bytes
   * @param end end of the transfer, {@link Progress#UNKNOWN_END} until it is known
   */
  void advance(long epoch, long position, long end) {
    if (epoch < seekEpoch) {
      return;
    }
    if (epoch > seekEpoch) {
      seekEpoch = epoch;
      granted = position;
    }
    long most = Math.min(end, position + AHEAD) - granted;
    long left = portion == null || most <= 0 ? Long.MAX_VALUE : portion.take(most);
    while (granted < end && granted - position < AHEAD && left > 0) {
      Range range = channel.next(new Progress(direction, granted, end));
      check(range, end);
      if (range.length() > left) {
        range = new Range(granted, (int) left);
      }
      left -= range.length();
      steps.at("worker.decided");
      link.grant(new Grant(range, generation, seekEpoch, worker, module, /* payload= */ null));
      granted = range.end();
      steps.at("worker.granted");
    }
  }

  private void check(Range range, long end) {
    if (range.offset() != granted) {
      throw new IllegalStateException(
          module + ": range at " + range.offset() + " (expected: at " + granted + ")");
    }
    if (range.length() < 1 || range.length() > Range.MOST || range.end() > end) {
      throw new IllegalStateException(
          module
              + ": range of "
              + range.length()
              + " bytes (expected: 1 to "
              + Math.min(Range.MOST, end - granted)
              + ")");
    }
  }
}
