package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.channel.BackupPolicy;
import io.theseus.channel.BackupPolicy.Candidate;
import io.theseus.channel.Direction;
import io.theseus.channel.FairnessPolicy;
import io.theseus.channel.FairnessPolicy.Demand;
import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The modules in {@code examples/}, compiled as a user does. */
class ExamplesTest {
  private static final Path EXAMPLES = Path.of("examples");

  static List<String> examples() throws IOException {
    try (Stream<Path> all = Files.list(EXAMPLES)) {
      return all.filter(Files::isDirectory)
          .map(each -> String.valueOf(each.getFileName()))
          .sorted()
          .toList();
    }
  }

  private static SourceCompiler.Compiled compile(String example) throws Exception {
    try (Stream<Path> files = Files.list(EXAMPLES.resolve(example))) {
      List<Path> sources = files.filter(each -> each.toString().endsWith(".java")).toList();
      assertThat(sources).hasSize(1);
      return SourceCompiler.ofThisJava().compile(sources.get(0), new ModuleVersion("1.0"));
    }
  }

  private static ModuleLoader load(String example) throws Exception {
    return ModuleLoader.loadOwn(compile(example).module());
  }

  @ParameterizedTest
  @MethodSource("examples")
  void shouldKeepTheRules(String example) throws Exception {
    SourceCompiler.Compiled compiled = compile(example);

    assertThat(compiled.warnings()).isEmpty();
    assertThat(compiled.module().descriptor().name()).isEqualTo(example);
    assertThat(Files.readString(EXAMPLES.resolve("README.md"))).contains("](" + example + ")");
    assertThat(Files.readString(EXAMPLES.resolve(example).resolve("README.md")))
        .startsWith("# " + example + "\n");
    List<RecordedTransfer> transfers = new ArrayList<>(RecordedTransfer.standard());
    try (Stream<Path> files = Files.list(EXAMPLES.resolve(example))) {
      for (Path each : files.filter(file -> file.toString().endsWith(".transfer")).toList()) {
        RecordedTransfer transfer = RecordedTransfer.parse(each.toString(), Files.readString(each));
        assertThat(transfer.expected()).containsKey(example);
        transfers.add(transfer);
      }
    }
    try (ModuleLoader loader = ModuleLoader.loadOwn(compiled.module())) {
      assertThat(new Rehearsal(loader).run(transfers)).isEmpty();
    }
  }

  private static long[] share(long budget, long... wanted) throws Exception {
    List<Demand> demands =
        Arrays.stream(wanted).mapToObj(each -> new Demand(session("a"), each)).toList();
    try (ModuleLoader loader = load("max-min")) {
      return loader.instantiate("max-min", FairnessPolicy.class).share(budget, demands);
    }
  }

  @Test
  void shouldShareByMaxMin() throws Exception {
    assertThat(share(100, 80, 10, 80)).containsExactly(45, 10, 45);
    assertThat(share(100, 30, 30, 30)).containsExactly(30, 30, 30);
    assertThat(share(10, 2, 4, 4, 2)).containsExactly(2, 3, 3, 2);
    assertThat(share(1, 5, 5)).containsExactly(0, 1);
    assertThat(share(7)).isEmpty();
  }

  private static String choose(
      String example, String rack, List<Candidate> copies, Candidate... candidates)
      throws Exception {
    try (ModuleLoader loader = load(example)) {
      return loader
          .instantiate(example, BackupPolicy.class)
          .choose(
              new BackupPolicy.Upload(
                  new UUID(0, 1), "a", OptionalLong.empty(), "node9", rack, copies),
              List.of(candidates));
    }
  }

  private static Candidate candidate(String node, String rack, int sessions, boolean keeps) {
    return new Candidate(node, rack, 1 << 30, sessions, 0, keeps);
  }

  @Test
  void shouldKeepCopiesInTheOrderOfAList() throws Exception {
    Candidate one = candidate("node1", "", 0, true);
    Candidate two = candidate("node2", "", 5, false);
    Candidate three = candidate("node3", "", 7, false);
    Candidate other = candidate("a", "", 0, true);
    assertThat(choose("pinned", "", List.of(), other, one, two, three)).isEqualTo("node3");
    assertThat(choose("pinned", "", List.of(three), other, one, two)).isEqualTo("node2");
    assertThat(choose("pinned", "", List.of(), other)).isEqualTo("a");
  }

  @Test
  void shouldKeepCopiesInOtherRacks() throws Exception {
    Candidate near = candidate("node1", "r1", 0, true);
    Candidate far = candidate("node2", "r2", 9, false);
    Candidate further = candidate("node3", "r3", 9, true);
    assertThat(choose("rack-aware", "r1", List.of(), near, far)).isEqualTo("node2");
    assertThat(choose("rack-aware", "r1", List.of(), near, far, further))
        .as("there is one")
        .isEqualTo("node3");
    assertThat(choose("rack-aware", "r1", List.of(further), near, far)).isEqualTo("node2");
    assertThat(choose("rack-aware", "r3", List.of(far), candidate("a", "r2", 1, false), further))
        .as("in either rack there is one")
        .isEqualTo("node3");
    assertThat(
            choose(
                "rack-aware",
                "",
                List.of(),
                candidate("a", "", 3, false),
                candidate("b", "", 2, false)))
        .isEqualTo("b");
  }

  @Test
  void shouldHoldARate() throws Exception {
    try (ModuleLoader loader = load("limiter")) {
      NetworkFunction limiter = loader.instantiate("limiter", NetworkFunction.class);
      long moved = 0;
      long now = -5;
      long end = now + 10_000_000_000L;
      while (now < end) {
        Range range = new Range(moved, Range.MOST);
        Passage passage = limiter.decide(range, now);
        if (passage instanceof Passage.Delay delay) {
          now += delay.time().toNanos();
        } else {
          int length = ((Passage.Limit) passage).length();
          limiter.passed(new Range(moved, length));
          moved += length;
        }
      }
      assertThat(moved).isBetween(100L << 20, 105L << 20);
    }
  }

  @Test
  void shouldHandCountsOver() throws Exception {
    try (ModuleLoader loader = load("counter")) {
      NetworkFunction counter = loader.instantiate("counter", NetworkFunction.class);
      counter.passed(new Range(0, 1000));
      counter.passed(new Range(1000, 500));
      HandOver state = counter.handOver().orElseThrow();
      NetworkFunction successor = loader.instantiate("counter", NetworkFunction.class);

      assertThat(successor.takeOver(new HandOver(2, state.state()))).isFalse();
      assertThat(successor.takeOver(state)).isTrue();
      successor.passed(new Range(1500, 1));
      ByteBuffer counts = ByteBuffer.wrap(successor.handOver().orElseThrow().state());
      assertThat(counts.getLong()).isEqualTo(3);
      assertThat(counts.getLong()).isEqualTo(1501);

      byte[] full = ByteBuffer.allocate(16).putLong(9).putLong(1L << 40).array();
      successor.takeOver(new HandOver(1, full));
      assertThat(successor.decide(new Range(0, 1), 0))
          .isEqualTo(Passage.deny("1099511627776 bytes moved (expected: at most 1099511627776)"));
    }
  }

  private static SessionInfo session(String name) {
    return new SessionInfo(new UUID(0, 1), Direction.GET, name, OptionalLong.empty(), "192.0.2.7");
  }
}
