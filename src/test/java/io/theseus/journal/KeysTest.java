package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.NumericChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class KeysTest {
  @Property(tries = 200)
  void shouldReadBackWhatItWrote(
      @ForAll @NumericChars @StringLength(min = 1, max = 300) String id,
      @ForAll @LongRange(min = 0) long number,
      @ForAll @LongRange(min = 0) long time) {
    byte[] key = Keys.snapshot(id, number, time);

    assertThat(Keys.wellFormed(key)).isTrue();
    assertThat(Keys.id(key)).isEqualTo(id);
    assertThat(Keys.kind(key)).isEqualTo(Keys.SNAPSHOT);
    assertThat(Keys.sequenceNr(key)).isEqualTo(number);
    assertThat(Keys.timestamp(key)).isEqualTo(time);
    assertThat(Keys.sequenceNr(Keys.event(id, number))).isEqualTo(number);
  }

  @Property(tries = 200)
  void shouldKeepAnIdsKeysBetweenItsBounds(
      @ForAll @NumericChars @StringLength(min = 1, max = 4) String id,
      @ForAll @NumericChars @StringLength(min = 1, max = 4) String other,
      @ForAll @LongRange(min = 0) long number) {
    for (byte[] key :
        List.of(Keys.head(other), Keys.event(other, number), Keys.snapshot(other, number, 1))) {
      boolean within =
          Arrays.compareUnsigned(key, Keys.first(id)) >= 0
              && Arrays.compareUnsigned(key, Keys.afterAll(id)) < 0;
      assertThat(within).isEqualTo(id.equals(other));
    }
  }

  @Test
  void shouldOrderEventsByNumber() {
    List<byte[]> keys =
        Stream.of(0L, 1L, 255L, 256L, Long.MAX_VALUE).map(n -> Keys.event("a", n)).toList();
    assertThat(keys).isSortedAccordingTo(Arrays::compareUnsigned);
    assertThat(Arrays.compareUnsigned(keys.get(4), Keys.afterEvents("a"))).isNegative();
    assertThat(Arrays.compareUnsigned(keys.get(0), Keys.head("a"))).isPositive();
  }

  @Test
  void shouldRefuseAnIdThatIsTooLong() {
    assertThatThrownBy(() -> Keys.head("x".repeat(65_536)))
        .hasMessage("persistence id: 65536 bytes (expected: <= 65535)");
  }
}
