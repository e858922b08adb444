package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a process without threads ends. */
class ThreadCheckTest {
  @Test
  void shouldBeOutAfterThreeFailuresInARow() {
    Iterator<Boolean> there =
        List.of(true, false, false, true, false, false, false, false).iterator();
    ThreadCheck check =
        new ThreadCheck(
            () -> {
              if (!there.next()) {
                throw new OutOfMemoryError("unable to create native thread");
              }
            });
    for (boolean out : List.of(false, false, false, false, false, false, true, true)) {
      assertThat(check.isOut()).isEqualTo(out);
    }
  }

  @Test
  void shouldStartThreads() {
    ThreadCheck check = new ThreadCheck();
    for (int i = 0; i < 10; i++) {
      assertThat(check.isOut()).isFalse();
    }
  }
}
