package io.theseus.cli;

import io.theseus.wire.Texts;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** How names, sizes and times are written for people. */
final class Display {
  private static final Pattern PLAIN_ARGUMENT = Pattern.compile("[A-Za-z0-9_@%+=:,./-]+");
  private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  private static final int PIECE = 200;
  private static final long SECONDS_PER_HOUR = 3600;

  private Display() {}

  /** A name or text of any length with control and direction-changing characters escaped. */
  static String name(String text) {
    StringBuilder out = new StringBuilder(text.length());
    // Texts.escape cuts at 200 characters; a name is shown whole
    for (int at = 0; at < text.length(); ) {
      int end =
          text.offsetByCodePoints(at, Math.min(PIECE, text.codePointCount(at, text.length())));
      out.append(Texts.escape(text.substring(at, end)));
      at = end;
    }
    return out.toString();
  }

  /** A name in at most so many columns: its end, from a slash on where there is one. */
  static String shortName(String text, int most) {
    String shown = name(text);
    int length = shown.codePointCount(0, shown.length());
    if (length <= most) {
      return shown;
    }
    String end = shown.substring(shown.offsetByCodePoints(0, length - most + 1));
    int slash = end.indexOf('/');
    return "…" + (slash > 0 ? end.substring(slash) : end);
  }

  /** {@code 1.2 GiB}. */
  static String size(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = -1;
    while (value >= 1023.95 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
  }

  /** {@code 312.0 MiB/s}. */
  static String rate(double bytesPerSecond) {
    return size(Math.round(bytesPerSecond)) + "/s";
  }

  /** {@code 1:02:03} or {@code 0:05}. */
  static String clock(long seconds) {
    if (seconds >= SECONDS_PER_HOUR) {
      return String.format(
          Locale.ROOT,
          "%d:%02d:%02d",
          seconds / SECONDS_PER_HOUR,
          seconds % SECONDS_PER_HOUR / 60,
          seconds % 60);
    }
    return String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60);
  }

  /** {@code 0.12 s}, {@code 12.3 s} or {@code 1:02:03}. */
  static String took(Duration duration) {
    double seconds = duration.toMillis() / 1000.0;
    if (seconds >= 60) {
      return clock(Math.round(seconds));
    }
    return String.format(Locale.ROOT, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  }

  /** How fast so many bytes were in this time; never divides by nothing. */
  static String rate(long bytes, Duration took) {
    return rate(bytes * 1e9 / Math.max(1_000_000, took.toNanos()));
  }

  /** {@code 1 file}, {@code 2 files}. */
  static String count(long count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }

  /** A command line that a shell takes back as it was. */
  static String commandLine(List<String> arguments) {
    StringBuilder out = new StringBuilder();
    for (String argument : arguments) {
      if (out.length() > 0) {
        out.append(' ');
      }
      if (PLAIN_ARGUMENT.matcher(argument).matches()) {
        out.append(argument);
      } else {
        out.append('\'').append(name(argument).replace("'", "'\\''")).append('\'');
      }
    }
    return out.toString();
  }
}
