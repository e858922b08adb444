package io.theseus.module;

import io.theseus.wire.Texts;
import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * The version of a module: 1 to 4 numbers with dots between, compared number by number, where a
 * missing one is 0.
 *
 * @param text as it was written
 */
public record ModuleVersion(String text) implements Comparable<ModuleVersion> {
  private static final int MOST_NUMBERS = 4;
  private static final Pattern FORM =
      Pattern.compile("(0|[1-9][0-9]{0,8})(\\.(0|[1-9][0-9]{0,8})){0,3}");

  public ModuleVersion {
    if (!FORM.matcher(text).matches()) {
      throw new IllegalArgumentException(
          "version: "
              + Texts.quote(text)
              + " (expected: 1 to 4 numbers with dots between, such as 1.2)");
    }
  }

  /** The next one: the last number plus 1. */
  public ModuleVersion next() {
    int dot = text.lastIndexOf('.');
    return new ModuleVersion(
        text.substring(0, dot + 1) + (Long.parseLong(text.substring(dot + 1)) + 1));
  }

  @Override
  public int compareTo(ModuleVersion other) {
    return Arrays.compare(numbers(), other.numbers());
  }

  private int[] numbers() {
    int[] numbers = new int[MOST_NUMBERS];
    String[] parts = text.split("\\.", -1);
    for (int i = 0; i < parts.length; i++) {
      numbers[i] = Integer.parseInt(parts[i]);
    }
    return numbers;
  }

  @Override
  public String toString() {
    return text;
  }
}
