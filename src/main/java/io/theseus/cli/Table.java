package io.theseus.cli;

import java.util.ArrayList;
import java.util.List;

/** Rows as lines, in columns; the last one may be of any length. */
final class Table {
  private static final String BETWEEN = "  ";

  private Table() {}

  /** A line for each row; all have as many cells. */
  static List<String> lines(List<List<String>> rows) {
    int last = rows.get(0).size() - 1;
    int[] widths = new int[last];
    for (List<String> row : rows) {
      for (int i = 0; i < last; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    List<String> lines = new ArrayList<>();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < last; i++) {
        line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length())).append(BETWEEN);
      }
      lines.add(line.append(row.get(last)).toString());
    }
    return lines;
  }
}
