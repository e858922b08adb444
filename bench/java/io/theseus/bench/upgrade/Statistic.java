package io.theseus.bench.upgrade;

/** What is told of the waits of many connections. */
enum Statistic {
  P50("p50", 0.5),
  P99("p99", 0.99),
  P999("p99.9", 0.999),
  MAX("max", 1);

  private final String label;
  private final double share;

  Statistic(String label, double share) {
    this.label = label;
    this.share = share;
  }

  String label() {
    return label;
  }

  double of(Delays delays) {
    return delays.quantile(share);
  }
}
