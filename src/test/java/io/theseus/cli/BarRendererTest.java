package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class BarRendererTest {
  private static final long MIB = 1 << 20;
  private static final long SECOND = 1_000_000_000;

  private final AtomicLong clock = new AtomicLong();
  private final BarRenderer renderer = new BarRenderer(true, clock::get);

  @Test
  void shouldShowNameShareBarRateAndTimeLeft() {
    renderer.render("big.iso", 0, 100 * MIB, "", 100);
    clock.set(SECOND);

    String line = renderer.render("big.iso", 25 * MIB, 100 * MIB, "files@1", 110);

    assertThat(line)
        .startsWith("big.iso ")
        .contains(" 25% [")
        .contains("█")
        .contains("  25.0 MiB of 100.0 MiB")
        .contains("  25.0 MiB/s")
        .contains("0:03 left")
        .hasSizeLessThanOrEqualTo(110);
  }

  @Test
  void shouldNeverBeWiderThanTheTerminal() {
    String extra = "reconnecting, attempt 3";
    for (int width = 1; width < 160; width++) {
      String name = "a very/long name/日本語日本語日本語日本語/x.bin";
      String line = renderer.render(name, 5 * MIB, 10 * MIB, extra, width);
      assertThat(line.codePointCount(0, line.length())).isLessThanOrEqualTo(width);
    }
  }

  @Test
  void shouldSayHundredOnlyAtTheEnd() {
    assertThat(renderer.render("a", 999_999, 1_000_000, "", 80)).contains(" 99% ");
    assertThat(renderer.render("a", 1_000_000, 1_000_000, "", 80)).contains("100% ");
    assertThat(renderer.render("a", 0, 0, "", 80)).contains("100% ");
  }

  @Test
  void shouldShowNoShareOfAnUnknownSize() {
    assertThat(renderer.render("live", 5 * MIB, -1, "", 80))
        .contains("5.0 MiB")
        .doesNotContain("%")
        .doesNotContain("[");
  }

  @Test
  void shouldSayWhyNothingMovesEvenWhereItIsNarrow() {
    for (int width = 70; width < 160; width++) {
      assertThat(renderer.render("a.iso", 5 * MIB, 10 * MIB, "reconnecting, attempt 3", width))
          .as("width " + width)
          .endsWith("reconnecting, attempt 3");
    }
  }

  @Test
  void shouldNotCountAJumpAsSpeed() {
    renderer.render("a", 0, 1000 * MIB, "", 120);
    renderer.jumped();
    clock.set(SECOND);
    renderer.render("a", 900 * MIB, 1000 * MIB, "", 120);
    clock.set(2 * SECOND);

    assertThat(renderer.render("a", 901 * MIB, 1000 * MIB, "", 120)).contains(" 1.0 MiB/s");
  }

  @Test
  void shouldDrawWithAsciiWhereNothingElseIsShown() {
    String line = new BarRenderer(false, clock::get).render("é".repeat(60), 5, 10, "", 100);
    assertThat(line).contains("[").contains("#").contains(".").doesNotContain("█");
    assertThat(line).startsWith("~");
  }

  @Test
  void shouldEscapeWhatComesFromElsewhere() {
    assertThat(renderer.render("a\u001b[2Jb", 5, 10, "x\u0007", 100))
        .doesNotContain("\u001b")
        .doesNotContain("\u0007");
  }
}
