package io.theseus.net;

import io.theseus.channel.Range;

/**
 * What workers have granted of a transfer, one generation after another: the same for both
 * directions, and as pure as the pumps themselves.
 */
abstract class Pump {
  private long generation;
  private long granted;
  private boolean held;

  /** Whether what is granted is an older worker's word, which the next one's first replaces. */
  private boolean inherited;

  /** Obeys the worker of a generation, which has granted nothing yet past the offset. */
  Pump(long generation, long offset) {
    this.generation = generation;
    this.granted = offset;
  }

  /** Committed: a successor goes on there. */
  abstract long position();

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

  /** Bytes that are granted and have not moved. */
  final long grantedAhead() {
    return granted - position();
  }

  /** Takes a grant of the current worker; drops others. */
  void grant(long workerGeneration, Range range) {
    if (workerGeneration != generation || range.offset() > granted) {
      return;
    }
    if (inherited && range.offset() <= position() && range.end() > position()) {
      inherited = false;
      granted = range.end();
    } else if (range.end() > granted) {
      granted = range.end();
    }
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
  }
}
