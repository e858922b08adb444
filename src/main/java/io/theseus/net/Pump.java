package io.theseus.net;

import io.theseus.channel.Range;
import io.theseus.session.PayloadPath;
import org.jspecify.annotations.Nullable;

/**
 * What workers have granted of a transfer, one generation after another: the same for both
 * directions, and as pure as the pumps themselves.
 */
abstract class Pump {
  private long generation;
  private long granted;
  private boolean held;

  /** What all that is granted passes on its way; null where nobody looks at it. */
  private @Nullable PayloadPath payload;

  /** Whether bytes that came don't get through before another grant. */
  private boolean stranded;

  /** Whether what is granted is an older worker's word, which the next one's first replaces. */
  private boolean inherited;

  /** Obeys the worker of a generation, which has granted nothing yet past the offset. */
  Pump(long generation, long offset) {
    this.generation = generation;
    this.granted = offset;
  }

  /** Committed: a successor goes on there. */
  abstract long position();

  /** Whether something that could move stands still until more is granted. */
  abstract boolean waits();

  final long generation() {
    return generation;
  }

  final boolean held() {
    return held;
  }

  /** The offset behind the last byte that may move. */
  final long granted() {
    return granted;
  }

  /**
   * The same, as far as it is the current worker's word: the position where it has said nothing.
   */
  final long grantedNow() {
    return inherited ? position() : granted;
  }

  /** Bytes that are granted and have not moved. */
  final long grantedAhead() {
    return granted - position();
  }

  /** What the next bytes pass on their way; null where nobody looks at them. */
  final @Nullable PayloadPath payload() {
    return payload;
  }

  /**
   * Takes a grant of the current worker; drops others.
   *
   * @param path the same with all grants of a worker
   */
  final void grant(long workerGeneration, Range range, @Nullable PayloadPath path) {
    if (workerGeneration != generation || range.offset() > granted) {
      return;
    }
    stranded &= range.end() <= granted;
    if (inherited && range.offset() <= position() && range.end() > position()) {
      inherited = false;
      granted = range.end();
      payload = path;
    } else if (range.end() > granted) {
      granted = range.end();
      payload = inherited ? payload : path;
    }
  }

  /** Bytes did not get through, nor would further ones: what was granted with it is forgotten. */
  final void refused(PayloadPath path) {
    if (path == payload) {
      forget();
      stranded = true;
    }
  }

  /** Whether nothing moves before another grant, as bytes did not get through. */
  final boolean stranded() {
    return stranded;
  }

  /** Bytes that were on their way already have moved, whatever was forgotten meanwhile. */
  final void moved(long offset) {
    granted = Math.max(granted, offset);
  }

  /** Stands still at the next packet boundary. */
  final void hold() {
    held = true;
  }

  /** Obeys another worker; what older ones granted is forgotten, but a packet begun is finished. */
  final void swap(long workerGeneration) {
    held = false;
    obey(workerGeneration);
  }

  /** The same while it is held, or not, as before. */
  final void obey(long workerGeneration) {
    generation = workerGeneration;
    forget();
  }

  /**
   * Obeys another worker in the middle of the transfer: what older ones granted is good until its
   * first word, so nobody waits for it. Behind a hold it is forgotten.
   */
  final void succeed(long workerGeneration) {
    if (held) {
      swap(workerGeneration);
    } else {
      generation = workerGeneration;
      inherited = true;
    }
  }

  /** The first word of a successor, where it grants nothing yet. */
  final void revoke(long workerGeneration) {
    if (workerGeneration == generation && inherited) {
      forget();
    }
  }

  /** Nothing is granted any more. */
  final void forget() {
    granted = position();
    inherited = false;
    payload = null;
  }
}
