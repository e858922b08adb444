package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class AttributeTest {
  @Property
  void shouldReadWhatItWrote(
      @ForAll long most,
      @ForAll long least,
      @ForAll @LongRange(min = 0) long size,
      @ForAll @LongRange(min = -9_999_999_999L, max = 99_999_999_999L) long second,
      @ForAll @IntRange(min = 0, max = 999_999_999) int nano,
      @ForAll boolean version,
      @ForAll @IntRange(min = 0, max = 2) int received) {
    Attribute attribute =
        new Attribute(
            new UUID(most, least),
            size,
            Instant.ofEpochSecond(second, nano),
            "0123456789abcdef".repeat(4),
            switch (received) {
              case 0 -> Optional.of("0123456789abcdef".repeat(4));
              case 1 -> Optional.of("fedcba9876543210".repeat(4));
              default -> Optional.empty();
            },
            Instant.ofEpochMilli(size >> 16),
            version ? Optional.of("00000000000000ab@node1") : Optional.empty());
    assertThat(Attribute.parse(attribute.text())).contains(attribute);
    assertThat(attribute.text())
        .matches("[\\x21-\\x7e]+( [\\x21-\\x7e]+){" + (received == 0 ? 6 : 7) + "}");
  }

  @Test
  void shouldKnowNothingOfWhatItCannotRead() {
    String good =
        "1 00000000-0000-0000-0000-000000000001 5 7.000000001 " + "0".repeat(64) + " 99 -";
    assertThat(Attribute.parse(good)).isPresent();
    assertThat(Attribute.parse(good + " " + "1".repeat(64)).orElseThrow().received())
        .contains("1".repeat(64));
    assertThat(Attribute.parse(good + " -").orElseThrow().received()).isEmpty();
    assertThat(Attribute.parse(good + " more")).isEmpty();
    assertThat(Attribute.parse("")).isEmpty();
    assertThat(Attribute.parse("2" + good.substring(1))).isEmpty();
    assertThat(Attribute.parse(good.replace("0000-000000000001", "x"))).isEmpty();
    assertThat(Attribute.parse(good.replace(" 5 ", " five "))).isEmpty();
    assertThat(Attribute.parse(good.replace("7.", "7:"))).isEmpty();
    assertThat(Attribute.parse(good.replace("0".repeat(64), "0".repeat(63)))).isEmpty();
    assertThat(Attribute.parse(good.substring(0, good.length() - 2))).isEmpty();
    assertThat(Attribute.parse(good.replace(" -", " 17@node1"))).as("no version").isEmpty();
    // a later minor form may say more at the end
    assertThat(Attribute.parse(good + " - more")).isPresent();
  }

  @Test
  void shouldNameAFileOfWhichNothingElseIsKnown() {
    assertThat(Attribute.identity(12, Instant.parse("1970-01-01T00:00:01.000000002Z")))
        .isEqualTo("s12-t1.000000002");
  }
}
