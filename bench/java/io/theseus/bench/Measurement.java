package io.theseus.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;

/**
 * One metric of one case, round for round, beside that of one peer.
 *
 * @param name the case, like {@code get-1x1GiB}
 * @param metric what was measured, like {@code throughput}
 * @param unit of both rows of values, like {@code GB/s}, {@code s/GiB}, {@code bytes}
 * @param better which way is better
 * @param ours our value in each round
 * @param peerName who is compared with, or what: a fixed limit is a peer, too
 * @param peer its value in each round, interleaved with ours; as many
 * @param goal the ratio that is asked for, as its better side: at least, or at most
 * @param command the command line that shows it again
 */
public record Measurement(
    String name,
    String metric,
    String unit,
    Better better,
    List<Double> ours,
    String peerName,
    List<Double> peer,
    OptionalDouble goal,
    String command) {

  /** Which way a metric is better. */
  public enum Better {
    HIGHER,
    LOWER;

    boolean meets(double ratio, double goal) {
      return this == HIGHER ? ratio >= goal : ratio <= goal;
    }
  }

  /** Refuses rounds that don't pair, and values of which no ratio can be told. */
  public Measurement {
    ours = List.copyOf(ours);
    peer = List.copyOf(peer);
    if (ours.isEmpty() || ours.size() != peer.size()) {
      throw new IllegalArgumentException(
          "%s %s: %d rounds of ours, %d of %s (expected: as many, at least one)"
              .formatted(name, metric, ours.size(), peer.size(), peerName));
    }
    for (double value : ours) {
      if (!Double.isFinite(value) || value < 0) {
        throw new IllegalArgumentException(
            name + " " + metric + ": " + value + " (expected: a finite number >= 0)");
      }
    }
    for (double value : peer) {
      if (!Double.isFinite(value) || value <= 0) {
        throw new IllegalArgumentException(
            "%s %s: %s of %s (expected: a finite number > 0)"
                .formatted(name, metric, value, peerName));
      }
    }
  }

  /** Our value: the median of the rounds. */
  double oursMedian() {
    return median(ours);
  }

  /** The peer's value: the median of the rounds. */
  double peerMedian() {
    return median(peer);
  }

  /** Ours to the peer's of the same round, each; what the machine did in a round met both. */
  List<Double> ratios() {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < ours.size(); i++) {
      ratios.add(ours.get(i) / peer.get(i));
    }
    return ratios;
  }

  double ratio() {
    return median(ratios());
  }

  double ratioMin() {
    return Collections.min(ratios());
  }

  double ratioMax() {
    return Collections.max(ratios());
  }

  /** Whether the ratio reaches the goal; yes where none is set. */
  boolean meetsGoal() {
    return goal.isEmpty() || better.meets(ratio(), goal.getAsDouble());
  }

  /** The middle one, or the mean of the two in the middle. */
  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
