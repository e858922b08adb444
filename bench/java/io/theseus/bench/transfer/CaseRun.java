package io.theseus.bench.transfer;

import io.theseus.bench.BenchResults;
import io.theseus.bench.Lab;
import io.theseus.bench.Measurement;
import io.theseus.bench.Measurement.Better;
import io.theseus.bench.transfer.TransferCase.Way;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * One case: warm-up, then rounds in each of which every contender runs once, then the check of what
 * they sent or stored. Who begins a round changes, so that none always follows the same one.
 */
final class CaseRun {
  private final Lab lab;
  private final TransferCase what;
  private final List<Contender> contenders;
  private final PrintStream progress;
  private final Map<String, List<Sample>> samples = new LinkedHashMap<>();

  CaseRun(Lab lab, TransferCase what, List<Contender> contenders, PrintStream progress) {
    this.lab = lab;
    this.what = what;
    this.contenders = List.copyOf(contenders);
    this.progress = progress;
  }

  void run(int rounds) throws IOException {
    warmUp();
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < contenders.size(); i++) {
        Contender contender = contenders.get((round + i) % contenders.size());
        Sample sample = once(contender, "round %d of %d".formatted(round + 1, rounds));
        samples.computeIfAbsent(contender.name(), any -> new ArrayList<>()).add(sample);
      }
    }
    verify();
  }

  /** A JVM as often as it takes to be compiled; the others once, for the page cache and theirs. */
  private void warmUp() throws IOException {
    for (Contender contender : contenders) {
      boolean compiles = contender.name().equals(TheseusServer.NAME);
      int times = compiles ? what.warmUps() : Math.min(1, what.warmUps());
      for (int i = 1; i <= times; i++) {
        once(contender, "warm-up %d of %d".formatted(i, times));
      }
    }
  }

  private Sample once(Contender contender, String when) throws IOException {
    String folder = folder(contender);
    if (what.way() == Way.PUT) {
      // nothing is replaced, and nobody waits for what another one has left to the disk
      empty(lab.site().resolve(folder));
      lab.settle();
      lab.touchMemory(what.files() * what.bytes());
    }
    Sample sample = Sample.take(contender.meets(what), contender.server(), folder);
    progress.printf(
        "%-25s %-16s %-12s %s%n", what.name(), when, contender.name(), sample.shown(what));
    return sample;
  }

  private String folder(Contender contender) {
    return Contenders.folder(what, contender.server().name());
  }

  private void empty(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (what.small()) {
          lab.putAside(file);
        } else {
          Files.delete(file);
        }
      }
    }
  }

  private void verify() throws IOException {
    Verification verification = new Verification(lab.site(), what);
    for (Contender contender : contenders) {
      if (!contender.ahead() || contender.name().equals(TheseusServer.NAME)) {
        verification.check(contender.server(), folder(contender));
      }
    }
    progress.printf("%-25s SHA-256 of all that was %s: as expected%n", what.name(), moved());
  }

  private String moved() {
    return what.way() == Way.GET ? "sent" : "stored";
  }

  /** Adds what was measured. */
  void report(BenchResults results, String command) {
    for (Contender peer : contenders) {
      if (peer.name().equals(TheseusServer.NAME)) {
        continue;
      }
      results.add(
          measurement(
              "throughput",
              what.rateUnit(),
              Better.HIGHER,
              peer,
              Sample::rate,
              Goals.throughput(what, peer.name()),
              command));
      results.add(
          measurement(
              "server-cpu",
              what.cpuUnit(),
              Better.LOWER,
              peer,
              Sample::cpu,
              Goals.cpu(what, peer.name()),
              command));
      results.add(
          measurement(
              "peak-memory",
              "MiB",
              Better.LOWER,
              peer,
              Sample::peakMib,
              OptionalDouble.empty(),
              command));
    }
  }

  private Measurement measurement(
      String metric,
      String unit,
      Better better,
      Contender peer,
      ToDoubleFunction<Sample> value,
      OptionalDouble goal,
      String command) {
    return new Measurement(
        what.name(),
        metric,
        unit,
        better,
        values(TheseusServer.NAME, value),
        peer.name(),
        values(peer.name(), value),
        goal,
        command);
  }

  private List<Double> values(String name, ToDoubleFunction<Sample> value) {
    return samples.getOrDefault(name, List.of()).stream().map(value::applyAsDouble).toList();
  }
}
