package io.theseus.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import me.tongfei.progressbar.ProgressBarConsumer;

/**
 * The last lines of a terminal: some that are drawn again and again, and messages that scroll by
 * above them. Safe to use from several threads.
 *
 * <p>The cursor rests at the end of the last live line. Each change is one write, so that nothing
 * flickers, and leaves the terminal in order wherever the process is killed.
 */
final class Screen implements AutoCloseable {
  private static final String UP = "\u001b[A";
  private static final String CLEAR_BELOW = "\u001b[J";
  private static final String CLEAR_LINE = "\u001b[2K";

  private final PrintStream terminal;
  private final IntSupplier columns;
  private final boolean live;
  private final List<Line> lines = new ArrayList<>();
  private int drawn;

  /**
   * A screen.
   *
   * @param live whether this is a terminal that can draw; elsewhere messages are lines, and live
   *     lines aren't shown
   */
  Screen(PrintStream terminal, IntSupplier columns, boolean live) {
    this.terminal = terminal;
    this.columns = columns;
    this.live = live;
  }

  /** The terminal at standard error, where it is one. */
  static Screen ofErrors(Streams streams) {
    return new Screen(streams.err(), streams.columns(), streams.errIsTerminal());
  }

  /** A live line below the others. */
  synchronized Line line() {
    Line line = new Line();
    lines.add(line);
    return line;
  }

  /** Draws these lines in place of all live ones, at once, each cut to the width. */
  synchronized void show(List<String> texts) {
    lines.clear();
    for (String text : texts) {
      Line line = line();
      line.text = cut(text, line.getMaxRenderedLength());
    }
    if (live) {
      draw(top().append(drawn > 0 ? CLEAR_BELOW : ""));
    }
  }

  private static String cut(String text, int width) {
    return text.codePointCount(0, text.length()) <= width
        ? text
        : text.substring(0, text.offsetByCodePoints(0, Math.max(0, width)));
  }

  /** A message that stays, above the live lines. */
  synchronized void print(String message) {
    if (!live) {
      terminal.println(message);
      terminal.flush();
      return;
    }
    StringBuilder out = top();
    out.append(CLEAR_BELOW).append(message).append('\n');
    drawn = 0;
    draw(out);
  }

  /** Takes the live lines away. */
  @Override
  public synchronized void close() {
    lines.clear();
    if (drawn > 0) {
      write(top().append(CLEAR_BELOW));
      drawn = 0;
    }
  }

  private StringBuilder top() {
    StringBuilder out = new StringBuilder();
    if (drawn > 0) {
      out.append('\r').append(UP.repeat(drawn - 1));
    }
    return out;
  }

  private void draw(StringBuilder out) {
    for (int i = 0; i < lines.size(); i++) {
      out.append(i > 0 ? "\n" : "").append('\r').append(CLEAR_LINE).append(lines.get(i).text);
    }
    drawn = lines.size();
    write(out);
  }

  private void write(StringBuilder out) {
    terminal.print(out);
    terminal.flush();
  }

  /** One live line, fed by a progress bar. */
  final class Line implements ProgressBarConsumer {
    private String text = "";

    private Line() {}

    @Override
    public int getMaxRenderedLength() {
      // a line as wide as the terminal would make some of them wrap
      return columns.getAsInt() - 1;
    }

    @Override
    public void accept(String rendered) {
      synchronized (Screen.this) {
        if (live && lines.contains(this)) {
          text = rendered;
          draw(top());
        }
      }
    }

    /** Takes the line away; the others stay. */
    @Override
    public void close() {
      synchronized (Screen.this) {
        StringBuilder out = top().append(drawn > 0 ? CLEAR_BELOW : "");
        if (lines.remove(this) && live) {
          drawn = 0;
          draw(out);
        }
      }
    }
  }
}
