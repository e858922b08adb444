package io.theseus.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/** Asks the terminal how wide it is, at most every two seconds. */
final class TerminalWidth implements IntSupplier {
  private static final int USUAL = 80;
  private static final int LEAST = 20;
  private static final long AGAIN_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Map<String, String> environment;
  private int columns;
  private long askedNanos;

  TerminalWidth(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public synchronized int getAsInt() {
    long now = System.nanoTime();
    if (columns == 0 || now - askedNanos > AGAIN_NANOS) {
      columns = ask();
      askedNanos = now;
    }
    return columns;
  }

  private int ask() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(new File("/dev/tty"))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String answer = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      int space = answer.indexOf(' ');
      if (space > 0) {
        return atLeast(answer.substring(space + 1).trim());
      }
    } catch (IOException | NumberFormatException e) {
      // no stty, or no terminal of our own: what the environment says must do
    }
    try {
      return atLeast(environment.getOrDefault("COLUMNS", "" + USUAL));
    } catch (NumberFormatException e) {
      return USUAL;
    }
  }

  private static int atLeast(String number) {
    int value = Integer.parseInt(number);
    return value <= 0 ? USUAL : Math.max(LEAST, value);
  }
}
