package io.theseus.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Owners follow one another. */
final class EpochTest {
  @Test
  void shouldOrderByCounterThenNode() {
    Epoch first = Epoch.first("b");
    assertThat(first).isGreaterThan(Epoch.NONE).isGreaterThan(Epoch.first("a"));
    assertThat(first.next("a")).isGreaterThan(first).isEqualTo(new Epoch(2, "a"));
    assertThat(first.isAtLeast(first)).isTrue();
    assertThat(first.isAtLeast(first.next("a"))).isFalse();
    assertThat(Epoch.NONE.next("a")).isEqualTo(Epoch.first("a"));
    // not the one of a life of which nothing is known, nor below one that is
    assertThat(Epoch.NONE.next("a", 1000)).isEqualTo(new Epoch(1000, "a"));
    assertThat(new Epoch(1000, "b").next("a", 999)).isEqualTo(new Epoch(1001, "a"));
  }

  @Test
  void shouldComeBackFromItsText() throws Exception {
    Epoch epoch = new Epoch(17, "node@1");
    assertThat(Epoch.parse("Epoch", epoch.toString())).isEqualTo(epoch);
    assertThatThrownBy(() -> Epoch.parse("Epoch", "17"))
        .hasMessage("Epoch: \"17\" (expected: counter@node)");
    assertThatThrownBy(() -> Epoch.parse("Epoch", "x@node"))
        .hasMessage("Epoch: \"x\" (expected: 1 to 19 decimal digits, below 2^63)");
  }
}
