package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DisplayTest {
  @Test
  void shouldWriteSizesWithThreeDigitsAtLeast() {
    assertThat(Display.size(0)).isEqualTo("0 B");
    assertThat(Display.size(1023)).isEqualTo("1023 B");
    assertThat(Display.size(1024)).isEqualTo("1.0 KiB");
    assertThat(Display.size(1_048_575)).isEqualTo("1.0 MiB");
    assertThat(Display.size(5L << 30)).isEqualTo("5.0 GiB");
    assertThat(Display.size(Long.MAX_VALUE)).isEqualTo("8.0 EiB");
  }

  @Test
  void shouldWriteTimes() {
    assertThat(Display.clock(5)).isEqualTo("0:05");
    assertThat(Display.clock(3725)).isEqualTo("1:02:05");
    assertThat(Display.took(Duration.ofMillis(1230))).isEqualTo("1.23 s");
    assertThat(Display.took(Duration.ofMillis(12_340))).isEqualTo("12.3 s");
    assertThat(Display.took(Duration.ofSeconds(90))).isEqualTo("1:30");
    assertThat(Display.rate(1 << 20, Duration.ZERO)).isEqualTo("1000.0 MiB/s");
  }

  @Test
  void shouldEscapeLongNamesWholly() {
    String name = "a".repeat(500) + "\u001b[31m" + "\u202E";
    assertThat(Display.name(name))
        .isEqualTo("a".repeat(500) + "\\u001B[31m\\u202E")
        .doesNotContain("…");
    assertThat(Display.name("日本/é😀")).isEqualTo("日本/é😀");
  }

  @Test
  void shouldKeepTheEndOfAShortenedName() {
    assertThat(Display.shortName("photos/2026/a.jpg", 8)).isEqualTo("…/a.jpg");
    assertThat(Display.shortName("abcdefghijkl.jpg", 8)).isEqualTo("…jkl.jpg");
    assertThat(Display.shortName("a.jpg", 8)).isEqualTo("a.jpg");
  }

  @Test
  void shouldQuoteForAShell() {
    assertThat(Display.commandLine(List.of("theseus", "get", "a b", "it's", "x=1", "")))
        .isEqualTo("theseus get 'a b' 'it'\\''s' x=1 ''");
  }

  @Test
  void shouldReadSizes() {
    Sizes sizes = new Sizes();
    assertThat(sizes.convert("0")).isZero();
    assertThat(sizes.convert("64K")).isEqualTo(65_536);
    assertThat(sizes.convert("32MiB")).isEqualTo(32L << 20);
    assertThat(sizes.convert("2g")).isEqualTo(2L << 30);
    assertThat(sizes.convert("10M/s")).isEqualTo(10L << 20);
    for (String bad : List.of("", "-1", "1.5M", "12X", "999999999999T", "1 000")) {
      assertThatThrownBy(() -> sizes.convert(bad)).as(bad).hasMessageContaining("(expected: ");
    }
  }

  @Test
  void shouldReadTimes() {
    Durations durations = new Durations();
    assertThat(durations.convert("250ms")).isEqualTo(Duration.ofMillis(250));
    assertThat(durations.convert("90s")).isEqualTo(Duration.ofSeconds(90));
    assertThat(durations.convert("5m")).isEqualTo(Duration.ofMinutes(5));
    assertThat(durations.convert("2h")).isEqualTo(Duration.ofHours(2));
    assertThatThrownBy(() -> durations.convert("10")).hasMessageContaining("(expected: a time");
  }
}
