package io.theseus.names;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.store.FileStat;
import io.theseus.wire.ErrorCode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** One page of those of several nodes. */
final class PagesTest {
  private static final int LARGE = 1 << 16;

  private static Remote.Row row(String name, int version) {
    return new Remote.Row(
        name,
        OptionalLong.of(version),
        "i" + version,
        Optional.of(Instant.EPOCH),
        String.format("%016x@n", version));
  }

  private static Remote.Page page(String node, Optional<String> through, Remote.Row... rows) {
    return new Remote.Page(1, node, List.of(rows), through);
  }

  private static List<String> names(Pages.Merged merged) {
    return merged.listing().entries().stream().map(each -> each.name().value()).toList();
  }

  @Test
  void shouldTakeTheNewestOfEach() {
    Pages.Merged merged =
        Pages.merge(
            page("a", Optional.empty(), row("x", 1), row("y", 5)),
            new Answers(
                List.of(page("b", Optional.empty(), row("x", 3), row("y", 4), row("z", 1))),
                Set.of()),
            LARGE);
    assertThat(merged.listing().entries())
        .extracting(FileStat::identity)
        .containsExactly("i3", "i5", "i1");
    assertThat(merged.listing().more()).isFalse();
    assertThat(merged.listing().unreachable()).isEmpty();
  }

  /** What follows the end of one page may be in its next one. */
  @Test
  void shouldEndWhereTheFirstPageEnds() {
    Pages.Merged merged =
        Pages.merge(
            page("a", Optional.of("m"), row("b", 1), row("m", 1)),
            new Answers(
                List.of(page("b", Optional.of("k"), row("c", 1), row("k", 1))), Set.of("c")),
            LARGE);
    assertThat(names(merged)).containsExactly("b", "c", "k");
    assertThat(merged.listing().more()).isTrue();
    assertThat(merged.through()).contains("k");
    assertThat(merged.listing().unreachable()).containsExactly("c");
  }

  @Test
  void shouldCountWhoFailsAsMissing() {
    Pages.Merged merged =
        Pages.merge(
            page("a", Optional.empty()),
            new Answers(
                List.of(new Remote.Failed(1, "b", ErrorCode.INTERNAL, "disk")), Set.of("c")),
            LARGE);
    assertThat(merged.listing().unreachable()).containsExactlyInAnyOrder("b", "c");
    assertThat(merged.isEmptyPage()).isFalse();
    assertThat(
            Pages.merge(page("a", Optional.of("q")), new Answers(List.of(), Set.of()), LARGE)
                .isEmptyPage())
        .as("all that was there is gone")
        .isTrue();
  }

  /** Whatever the nodes' pages are, one after another they give every name once, in order. */
  @Test
  void shouldGiveAllNamesInOrder() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      Map<String, TreeMap<String, Integer>> nodes = new HashMap<>();
      TreeMap<String, Integer> all = new TreeMap<>();
      for (String node : List.of("a", "b", "c")) {
        TreeMap<String, Integer> its = new TreeMap<>();
        for (int i = random.nextInt(30); i > 0; i--) {
          String name = "n" + (char) ('a' + random.nextInt(20));
          its.put(name, 1 + random.nextInt(5));
        }
        nodes.put(node, its);
      }
      nodes.values().forEach(its -> its.forEach((name, its1) -> all.merge(name, its1, Math::max)));
      List<String> given = new ArrayList<>();
      String after = "";
      boolean more = true;
      while (more) {
        String from = after;
        List<Remote.Page> pages =
            nodes.entrySet().stream()
                .map(each -> pageAfter(each.getKey(), each.getValue(), from, 1 + random.nextInt(5)))
                .toList();
        Pages.Merged merged =
            Pages.merge(
                pages.get(0),
                new Answers(List.copyOf(pages.subList(1, 3)), Set.of()),
                40 + random.nextInt(200));
        merged.listing().entries().forEach(e -> given.add(e.name().value() + e.identity()));
        more = merged.listing().more();
        after = merged.through().orElse("");
      }
      assertThat(given)
          .as("seed %d, round %d", seed, round)
          .containsExactlyElementsOf(
              all.entrySet().stream().map(each -> each.getKey() + "i" + each.getValue()).toList());
    }
  }

  private static Remote.Page pageAfter(
      String node, NavigableMap<String, Integer> names, String after, int most) {
    Remote.Row[] rows =
        names.tailMap(after, /* inclusive= */ false).entrySet().stream()
            .map(each -> row(each.getKey(), each.getValue()))
            .toArray(Remote.Row[]::new);
    return rows.length <= most
        ? page(node, Optional.empty(), rows)
        : page(node, Optional.of(rows[most - 1].name()), Arrays.copyOf(rows, most));
  }
}
