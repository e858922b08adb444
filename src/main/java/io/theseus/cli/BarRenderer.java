package io.theseus.cli;

import java.time.Duration;
import java.util.OptionalDouble;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ProgressBarRenderer;
import me.tongfei.progressbar.ProgressState;

/** Draws {@code name 42% [████▌ ] 1.2/2.8 GiB 312 MiB/s 0:05 module}, as far as it fits. */
final class BarRenderer implements ProgressBarRenderer {
  private static final String EIGHTHS = " ▏▎▍▌▋▊▉█";
  private static final int BAR_LEAST = 8;
  private static final int BAR_MOST = 30;
  private static final int NAME_MOST = 28;
  private static final int NAME_LEAST = 8;
  private static final Duration RATE_WINDOW = Duration.ofSeconds(4);

  private final boolean unicode;
  private final LongSupplier nanos;
  private final RateMeter rate = new RateMeter(RATE_WINDOW);

  BarRenderer(boolean unicode, LongSupplier nanos) {
    this.unicode = unicode;
    this.nanos = nanos;
  }

  /** The next bytes don't count as speed: the transfer goes on somewhere else. */
  synchronized void jumped() {
    rate.restart();
  }

  @Override
  public synchronized String render(ProgressState state, int width) {
    return render(
        state.getTaskName(),
        state.getCurrent(),
        state.isIndefinite() ? -1 : state.getMax(),
        state.getExtraMessage(),
        width);
  }

  /** The line; a size below 0 is unknown. */
  synchronized String render(String name, long done, long size, String extra, int width) {
    rate.note(nanos.getAsLong(), done);
    OptionalDouble speed = rate.perSecond();
    boolean stands = !extra.isEmpty() && speed.orElse(0) < 1;
    String numbers = numbers(done, size, stands ? OptionalDouble.empty() : speed);
    String tail = extra.isEmpty() ? numbers : numbers + "  " + Display.name(extra);
    String percent = size < 0 ? "" : String.format(" %3d%%", percent(done, size));
    int left = width - length(tail) - length(percent) - 1;
    // the bar gives way first, then the name, then what stands behind the numbers
    int nameWidth =
        Math.max(NAME_LEAST, Math.min(NAME_MOST, left - (size < 0 ? 0 : BAR_LEAST + 3)));
    StringBuilder line = new StringBuilder(pad(shortName(name, nameWidth), nameWidth));
    line.append(percent);
    int barWidth = Math.min(BAR_MOST, width - length(line.toString()) - length(tail) - 4);
    if (size >= 0 && barWidth >= BAR_LEAST) {
      line.append(' ').append(bar(done, size, barWidth));
    }
    return cut(line.append(' ').append(tail).toString(), width);
  }

  private static String numbers(long done, long size, OptionalDouble speed) {
    StringBuilder out = new StringBuilder();
    out.append(String.format("%10s", Display.size(done)));
    if (size >= 0) {
      out.append(" of ").append(Display.size(size));
    }
    if (speed.isPresent()) {
      out.append(String.format("  %11s", Display.rate(speed.getAsDouble())));
      if (size >= 0 && speed.getAsDouble() >= 1 && done < size) {
        out.append(String.format("  %5s left", clock((size - done) / speed.getAsDouble())));
      }
    }
    return out.toString();
  }

  private static String clock(double seconds) {
    return seconds > 359_999 ? "long" : Display.clock(Math.round(seconds));
  }

  private static int percent(long done, long size) {
    // 100 is said only when all is done
    return size == 0 ? 100 : (int) Math.min(100, Math.floor(100.0 * done / size));
  }

  private String bar(long done, long size, int width) {
    double share = size == 0 ? 1 : Math.min(1, (double) done / size);
    StringBuilder out = new StringBuilder("[");
    if (unicode) {
      int eighths = (int) Math.round(share * width * 8);
      out.append("█".repeat(eighths / 8));
      if (eighths % 8 > 0) {
        out.append(EIGHTHS.charAt(eighths % 8));
      }
      out.append(" ".repeat(width - (eighths + 7) / 8));
    } else {
      int full = (int) Math.round(share * width);
      out.append("#".repeat(full)).append(".".repeat(width - full));
    }
    return out.append(']').toString();
  }

  private String shortName(String name, int most) {
    String shown = Display.shortName(name, most);
    return unicode ? shown : shown.replace('…', '~');
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - length(text)));
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  private static String cut(String text, int width) {
    return length(text) <= width
        ? text
        : text.substring(0, text.offsetByCodePoints(0, Math.max(0, width)));
  }
}
