package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Looks at the screen through a terminal of the few sequences that it uses. */
final class ScreenTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final Screen screen =
      new Screen(new PrintStream(bytes, true, StandardCharsets.UTF_8), () -> 40, true);

  /** What a person sees. */
  private List<String> seen() {
    List<StringBuilder> rows = new ArrayList<>(List.of(new StringBuilder()));
    int row = 0;
    int column = 0;
    String text = bytes.toString(StandardCharsets.UTF_8);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (text.startsWith("\u001b[A", i)) {
        row--;
        i += 2;
      } else if (text.startsWith("\u001b[J", i)) {
        rows.get(row).setLength(Math.min(column, rows.get(row).length()));
        rows.subList(row + 1, rows.size()).clear();
        i += 2;
      } else if (text.startsWith("\u001b[2K", i)) {
        rows.get(row).setLength(0);
        i += 3;
      } else if (c == '\r') {
        column = 0;
      } else if (c == '\n') {
        row++;
        column = 0;
        if (row == rows.size()) {
          rows.add(new StringBuilder());
        }
      } else {
        assertThat(c).isGreaterThanOrEqualTo(' ');
        StringBuilder line = rows.get(row);
        while (line.length() <= column) {
          line.append(' ');
        }
        line.setCharAt(column++, c);
      }
    }
    return rows.stream().map(StringBuilder::toString).toList();
  }

  @Test
  void shouldKeepMessagesAboveLiveLines() {
    Screen.Line first = screen.line();
    Screen.Line second = screen.line();
    first.accept("one 10%");
    second.accept("two 20%");
    screen.print("something happened");
    first.accept("one 30%");
    screen.print("something else");
    second.accept("two 40%");

    assertThat(seen())
        .containsExactly("something happened", "something else", "one 30%", "two 40%");
  }

  @Test
  void shouldTakeLinesAway() {
    Screen.Line first = screen.line();
    Screen.Line second = screen.line();
    first.accept("one");
    second.accept("two");
    first.close();
    assertThat(seen()).containsExactly("two");
    first.accept("late");
    assertThat(seen()).containsExactly("two");
    screen.print("done");
    screen.close();

    assertThat(seen()).containsExactly("done", "");
  }

  @Test
  void shouldPrintLinesWhereItIsNoTerminal() {
    Screen plain =
        new Screen(new PrintStream(bytes, true, StandardCharsets.UTF_8), () -> 40, false);
    Screen.Line line = plain.line();
    line.accept("one 10%");
    plain.print("something happened");
    line.close();
    plain.close();

    assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo("something happened\n");
  }

  @Test
  void shouldShortenALineThatGotShorter() {
    Screen.Line line = screen.line();
    line.accept("a long line of text");
    line.accept("short");

    assertThat(seen()).containsExactly("short");
    assertThat(line.getMaxRenderedLength()).isEqualTo(39);
  }
}
