package io.theseus.node;

import java.util.Optional;

/** What the joiner waits for, as the status shows it: the latest word, for any thread. */
final class JoinView {
  private volatile Optional<String> waitsFor = Optional.of("starting");

  /** In words; empty when this node is in the cluster. */
  Optional<String> waitsFor() {
    return waitsFor;
  }

  void show(Optional<String> words) {
    waitsFor = words;
  }
}
