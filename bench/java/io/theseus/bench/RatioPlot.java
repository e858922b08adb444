package io.theseus.bench;

import io.theseus.bench.Measurement.Better;
import java.util.List;
import java.util.Locale;

/**
 * A plot of ratios as SVG: a row for each metric and peer under its case, a bar from the least to
 * the greatest round, a dot at the median, a line at 1. The scale is logarithmic, so that twice and
 * half are as far from 1; colours follow the reader's light or dark mode.
 */
final class RatioPlot {
  private static final int WIDTH = 960;
  private static final int LEFT = 330;
  private static final int RIGHT = 800;
  private static final int TOP = 64;
  private static final int ROW = 24;

  private static final String STYLE =
      """
      <style>
        .paper { fill: #ffffff; } .title { fill: #1b2940; font-size: 17px; font-weight: 600; }
        .case { fill: #1b2940; font-weight: 600; } .text { fill: #51617a; }
        .grid { stroke: #d5dde8; } .one { stroke: #1b2940; stroke-width: 1.5; }
        .goal { stroke: #a9742a; stroke-width: 3; }
        .met { fill: #2f7d4f; stroke: #2f7d4f; } .missed { fill: #c0392b; stroke: #c0392b; }
        .range { stroke-width: 7; stroke-opacity: 0.4; stroke-linecap: round; }
        @media (prefers-color-scheme: dark) {
          .paper { fill: #11161f; } .title, .case { fill: #eef3fa; } .text { fill: #b3c0d3; }
          .grid { stroke: #2c3748; } .one { stroke: #eef3fa; } .goal { stroke: #e0ad5c; }
          .met { fill: #5fc48a; stroke: #5fc48a; } .missed { fill: #f08a7e; stroke: #f08a7e; }
        }
      </style>
      """;

  private final String title;
  private final List<Measurement> rows;
  private final double low;
  private final double high;
  private final StringBuilder svg = new StringBuilder();

  RatioPlot(String title, List<Measurement> rows) {
    this.title = title;
    this.rows = List.copyOf(rows);
    double least = 0.5;
    double greatest = 2;
    for (Measurement each : rows) {
      // A ratio of 0 has no place on this scale: it stands at the left end.
      least = Math.min(least, Math.max(each.ratioMin(), 0.0625));
      greatest = Math.max(greatest, each.ratioMax());
    }
    low = Math.pow(2, Math.floor(log2(least)));
    high = Math.pow(2, Math.ceil(log2(greatest)));
  }

  String svg() {
    long cases = rows.stream().map(Measurement::name).distinct().count();
    int height = TOP + ROW * (int) (rows.size() + cases) + 56;
    line(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
            + " font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\">",
        WIDTH, height);
    line("<title>%s</title>", escaped(title));
    svg.append(STYLE);
    line("<rect class=\"paper\" width=\"%d\" height=\"%d\"/>", WIDTH, height);
    line("<text class=\"title\" x=\"16\" y=\"26\">%s</text>", escaped(title));
    grid(height - 56);
    int y = TOP;
    String current = "";
    for (Measurement each : rows) {
      if (!each.name().equals(current)) {
        current = each.name();
        y += ROW;
        line("<text class=\"case\" x=\"16\" y=\"%d\">%s</text>", y - 6, escaped(current));
      }
      y += ROW;
      row(each, y - 10);
    }
    line(
        "<text class=\"text\" x=\"16\" y=\"%d\">ours to the peer: dot the median of the rounds, bar"
            + " the least to the greatest; brown the goal, green met or none, red missed</text>",
        height - 14);
    line("</svg>");
    return svg.toString();
  }

  private void grid(int bottom) {
    for (double at = low; at <= high * 1.001; at *= 2) {
      line(
          "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
          at == 1 ? "one" : "grid", x(at), x(at), TOP - 8, bottom);
      line(
          "<text class=\"text\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
          x(at), TOP - 14, at >= 1 ? String.valueOf((long) at) : BenchResults.number(at));
    }
  }

  private void row(Measurement each, int middle) {
    String look = each.meetsGoal() ? "met" : "missed";
    line(
        "<text class=\"text\" x=\"32\" y=\"%d\">%s, %s (%s is better)</text>",
        middle + 4,
        escaped(each.metric()),
        escaped(each.peerName()),
        each.better() == Better.HIGHER ? "more" : "less");
    line(
        "<line class=\"range %s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
        look, x(each.ratioMin()), x(each.ratioMax()), middle, middle);
    each.goal()
        .ifPresent(
            goal ->
                line(
                    "<line class=\"goal\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
                    x(goal), x(goal), middle - 8, middle + 8));
    line("<circle class=\"%s\" cx=\"%.1f\" cy=\"%d\" r=\"5\"/>", look, x(each.ratio()), middle);
    line(
        "<text class=\"text\" x=\"%d\" y=\"%d\">%s  (%s to %s)</text>",
        RIGHT + 14,
        middle + 4,
        BenchResults.number(each.ratio()),
        BenchResults.number(each.ratioMin()),
        BenchResults.number(each.ratioMax()));
  }

  private double x(double ratio) {
    double inside = Math.min(Math.max(ratio, low), high);
    return LEFT + (RIGHT - LEFT) * (log2(inside) - log2(low)) / (log2(high) - log2(low));
  }

  private static double log2(double value) {
    return Math.log(value) / Math.log(2);
  }

  private void line(String format, Object... arguments) {
    svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
