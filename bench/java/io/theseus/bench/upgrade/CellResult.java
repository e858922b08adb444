package io.theseus.bench.upgrade;

import io.theseus.bench.upgrade.Window.Phase;
import io.theseus.bench.upgrade.Window.What;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/** A cell's windows, compared. */
final class CellResult {
  private final Cell cell;
  private final List<Window> windows;
  private final Window first;
  private final long seed;
  private final Map<What, Map<Statistic, Comparison>> atSwitch = new EnumMap<>(What.class);
  private final Map<Statistic, Comparison> staging;
  private final Map<Statistic, Comparison> after;
  private final Comparison throughput;

  CellResult(CellRun.Result run, long seed) {
    this.cell = run.cell();
    this.windows = run.windows();
    this.first = run.first();
    this.seed = seed;
    for (What what : List.of(What.ALL_BUT, What.SWITCH, What.STALL)) {
      atSwitch.put(what, compare(what, Phase.SWITCH, Phase.SWITCH));
    }
    staging = compare(What.SWITCH, Phase.STAGING, Phase.SWITCH);
    after = compare(What.SWITCH, Phase.AFTER, Phase.AFTER);
    throughput =
        Comparison.<Double, Double, Phase>of(
                bytes(What.SWITCH),
                bytes(What.CONTROL),
                CellResult::mean,
                Map.of(Phase.AFTER, mean -> mean),
                seed)
            .values()
            .iterator()
            .next();
  }

  private static Double mean(List<Double> values) {
    return values.stream().mapToDouble(each -> each).average().orElseThrow();
  }

  /** Million bytes in the second after the moment, of each window. */
  private List<Double> bytes(What what) {
    return of(what).stream().map(each -> each.bytesInSecond() / 1e6).toList();
  }

  private Map<Statistic, Comparison> compare(What what, Phase phase, Phase ofControl) {
    Map<Statistic, ToDoubleFunction<Delays>> numbers = new EnumMap<>(Statistic.class);
    for (Statistic each : Statistic.values()) {
      numbers.put(each, each::of);
    }
    return Comparison.of(
        waits(what, phase), waits(What.CONTROL, ofControl), Delays::pooled, numbers, seed);
  }

  List<Window> of(What what) {
    return windows.stream().filter(each -> each.what() == what).toList();
  }

  /** The waits in each window in which there were any. */
  List<Delays> waits(What what, Phase phase) {
    return of(what).stream()
        .map(each -> each.waits().getOrDefault(phase, new Delays()))
        .filter(each -> each.size() > 0)
        .toList();
  }

  Cell cell() {
    return cell;
  }

  List<Window> windows() {
    return windows;
  }

  /** The waits at the first switch of the node; empty where nobody waited. */
  Delays first() {
    return first.waits().getOrDefault(Phase.SWITCH, new Delays());
  }

  Comparison atSwitch(What what, Statistic statistic) {
    return Objects.requireNonNull(atSwitch.getOrDefault(what, Map.of()).get(statistic));
  }

  Comparison staging(Statistic statistic) {
    return Objects.requireNonNull(staging.get(statistic));
  }

  Comparison after(Statistic statistic) {
    return Objects.requireNonNull(after.get(statistic));
  }

  Comparison throughput() {
    return throughput;
  }

  Verdict verdict(Statistic statistic) {
    return verdict(statistic, atSwitch(What.SWITCH, statistic));
  }

  Verdict stagingVerdict(Statistic statistic) {
    return verdict(statistic, staging(statistic));
  }

  private Verdict verdict(Statistic statistic, Comparison comparison) {
    return statistic == Statistic.P50
        ? Verdict.ofMedian(comparison)
        : Verdict.ofBand(comparison, atSwitch(What.STALL, statistic));
  }

  /** Share of all processors that the load alone keeps busy. */
  double busy() {
    return of(What.CONTROL).stream().mapToDouble(Window::busy).average().orElseThrow();
  }

  /** When the last session with traffic had followed, of all switches, in seconds. */
  double trafficFollowed() {
    return of(What.SWITCH).stream()
        .flatMap(each -> each.followed().stream().limit(each.withTraffic()))
        .mapToDouble(each -> each)
        .max()
        .orElse(0);
  }

  /** When the last session of all had followed. */
  double allFollowed() {
    return of(What.SWITCH).stream()
        .flatMap(each -> each.followed().stream())
        .mapToDouble(each -> each)
        .max()
        .orElse(0);
  }

  int withTraffic() {
    return of(What.SWITCH).stream().mapToInt(Window::withTraffic).sum();
  }

  /** Sessions that were told nothing, of all switches. */
  int missing() {
    return of(What.SWITCH).stream().mapToInt(Window::missing).sum();
  }
}
