package io.theseus.bench.upgrade;

import io.theseus.bench.BenchResults;
import io.theseus.bench.upgrade.Window.What;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The distributions of all cells as SVG: a panel for each, the share of clients from a half to all
 * but one of 10,000 to the right, the wait upwards, both logarithmic. Colours follow the reader's
 * light or dark mode.
 */
final class DelayPlot {
  private static final int COLUMNS = 3;
  private static final int WIDTH = 320;
  private static final int HEIGHT = 230;
  private static final int LEFT = 52;
  private static final int TOP = 34;
  private static final int PLOT_WIDTH = WIDTH - LEFT - 18;
  private static final int PLOT_HEIGHT = HEIGHT - TOP - 40;
  private static final int HEAD = 66;
  private static final double FROM = Math.log10(2);
  private static final double TO = 4;
  private static final int POINTS = 60;

  private static final String STYLE =
      """
      <style>
        .paper { fill: #ffffff; } .title { fill: #1b2940; font-size: 17px; font-weight: 600; }
        .cell { fill: #1b2940; font-weight: 600; } .text { fill: #51617a; font-size: 11px; }
        .grid { stroke: #d5dde8; } .line { fill: none; stroke-width: 2; }
        .control { stroke: #51617a; } .all-but { stroke: #2b6cb0; stroke-dasharray: 6 3; }
        .switch { stroke: #2f7d4f; } .stall { stroke: #c0392b; stroke-dasharray: 2 3; }
        @media (prefers-color-scheme: dark) {
          .paper { fill: #11161f; } .title, .cell { fill: #eef3fa; } .text { fill: #b3c0d3; }
          .grid { stroke: #2c3748; } .control { stroke: #b3c0d3; } .all-but { stroke: #7db4ee; }
          .switch { stroke: #5fc48a; } .stall { stroke: #f08a7e; }
        }
      </style>
      """;

  private final StringBuilder svg = new StringBuilder();

  /**
   * Draws it.
   *
   * @param cells the waits of each, by what was done
   */
  static String svg(String title, Map<String, Map<What, Delays>> cells) {
    return new DelayPlot().draw(title, cells);
  }

  private String draw(String title, Map<String, Map<What, Delays>> cells) {
    int rows = Math.max(1, (cells.size() + COLUMNS - 1) / COLUMNS);
    int width = COLUMNS * WIDTH;
    int height = HEAD + rows * HEIGHT;
    line(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
            + " font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\">",
        width, height);
    line("<title>%s</title>", title);
    svg.append(STYLE);
    line("<rect class=\"paper\" width=\"%d\" height=\"%d\"/>", width, height);
    line("<text class=\"title\" x=\"16\" y=\"26\">%s</text>", title);
    legend();
    int at = 0;
    for (Map.Entry<String, Map<What, Delays>> cell : cells.entrySet()) {
      panel(cell.getKey(), cell.getValue(), at % COLUMNS * WIDTH, HEAD + at / COLUMNS * HEIGHT);
      at++;
    }
    line("</svg>");
    return svg.toString();
  }

  private void legend() {
    int x = 16;
    for (What what : What.values()) {
      line(
          "<line class=\"line %s\" x1=\"%d\" x2=\"%d\" y1=\"46\" y2=\"46\"/>",
          what.label(), x, x + 28);
      line("<text class=\"text\" x=\"%d\" y=\"50\">%s</text>", x + 34, what.title());
      x += 70 + 7 * what.title().length();
    }
  }

  private void panel(String name, Map<What, Delays> waits, int x, int y) {
    double low = Double.MAX_VALUE;
    double high = 0;
    for (Delays each : waits.values()) {
      low = Math.min(low, each.quantile(0.5));
      high = Math.max(high, each.quantile(1));
    }
    double least = Math.floor(Math.log10(Math.max(low, 1e-4)));
    double most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(high, 1e-3))));
    line("<text class=\"cell\" x=\"%d\" y=\"%d\">%s</text>", x + LEFT, y + 20, name);
    for (int power = (int) least; power <= most; power++) {
      double at = y + TOP + PLOT_HEIGHT * (most - power) / (most - least);
      line(
          "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
          x + LEFT, x + LEFT + PLOT_WIDTH, at, at);
      line(
          "<text class=\"text\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s ms</text>",
          x + LEFT - 4, at + 4, BenchResults.number(Math.pow(10, power)));
    }
    List<String> shares = List.of("50 %", "90 %", "99 %", "99.9 %", "99.99 %");
    for (int i = 0; i < shares.size(); i++) {
      double at = x + LEFT + PLOT_WIDTH * (Math.max(FROM, i) - FROM) / (TO - FROM);
      line(
          "<text class=\"text\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
          at, y + TOP + PLOT_HEIGHT + 18, shares.get(i));
    }
    waits.forEach(
        (what, delays) -> {
          StringBuilder points = new StringBuilder();
          for (int i = 0; i <= POINTS; i++) {
            double nines = FROM + (TO - FROM) * i / POINTS;
            double wait = Math.log10(Math.max(1e-4, delays.quantile(1 - Math.pow(10, -nines))));
            points.append(
                String.format(
                    Locale.ROOT,
                    "%.1f,%.1f ",
                    x + LEFT + PLOT_WIDTH * (double) i / POINTS,
                    y + TOP + PLOT_HEIGHT * (most - wait) / (most - least)));
          }
          line(
              "<polyline class=\"line %s\" points=\"%s\"/>",
              what.label(), points.toString().trim());
        });
  }

  private void line(String format, Object... arguments) {
    svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }
}
