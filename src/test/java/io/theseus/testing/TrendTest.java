package io.theseus.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class TrendTest {
  @Test
  void shouldSeeASmallGrowthInNoiseAndNoneWhereThereIsNone() {
    List<Double> x = new ArrayList<>();
    List<Double> flat = new ArrayList<>();
    List<Double> growing = new ArrayList<>();
    Random random = new Random(5);
    for (int i = 0; i < 40; i++) {
      double noise = random.nextGaussian() * 10;
      x.add((double) i);
      flat.add(1000 + noise);
      growing.add(1000 + noise + 2 * i);
    }
    flat.set(3, 1e9); // an outlier
    assertThat(Trend.of(x, flat).grows()).isFalse();
    assertThat(Trend.of(x, growing).grows()).isTrue();
    assertThat(Trend.of(x, growing).slope()).isCloseTo(2, Offset.offset(0.5));
  }
}
