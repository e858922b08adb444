package io.theseus.module;

import io.theseus.channel.DataChannel;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;

/** The data channel that is built in: the longest ranges, one after another. */
final class StandardChannel implements DataChannel {
  @Override
  public Range next(Progress progress) {
    long left = progress.end() - progress.position();
    return new Range(progress.position(), (int) Math.min(left, Range.MOST));
  }
}
