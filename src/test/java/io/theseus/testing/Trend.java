package io.theseus.testing;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * The trend of a series by Theil and Sen: the median of the slopes of all pairs of points, which a
 * few outliers don't move, with the interval that holds the true one in 95 of 100 cases (Sen 1968,
 * by the variance of Kendall's score, without a correction for ties).
 *
 * @param slope by one unit of x
 * @param low lower end of the interval; above 0 only where growth is certain
 * @param high upper end
 */
public record Trend(double slope, double low, double high, int points) {
  private static final double NORMAL_95 = 1.96;

  /** Of at least three points with different x. */
  public static Trend of(List<Double> x, List<Double> y) {
    int n = x.size();
    if (n < 3 || n != y.size()) {
      throw new IllegalArgumentException(
          "points: " + n + " and " + y.size() + " (expected: as many, at least 3)");
    }
    List<Double> slopes = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        slopes.add((y.get(j) - y.get(i)) / (x.get(j) - x.get(i)));
      }
    }
    Collections.sort(slopes);
    int count = slopes.size();
    double median =
        count % 2 == 1
            ? slopes.get(count / 2)
            : (slopes.get(count / 2 - 1) + slopes.get(count / 2)) / 2;
    double spread = NORMAL_95 * Math.sqrt(n * (n - 1.0) * (2.0 * n + 5) / 18);
    int low = (int) Math.max(0, Math.floor((count - spread) / 2));
    int high = (int) Math.min(count - 1, Math.ceil((count + spread) / 2));
    return new Trend(median, slopes.get(low), slopes.get(high), n);
  }

  /** Whether it can be told from standing still, upwards. */
  public boolean grows() {
    return low > 0;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "slope %.3g (95 %% of cases: %.3g to %.3g; Theil-Sen, %d points)",
        slope,
        low,
        high,
        points);
  }
}
