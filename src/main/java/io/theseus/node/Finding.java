package io.theseus.node;

import java.util.Locale;

/**
 * What `theseus doctor` found out about one thing.
 *
 * @param check the thing, a word or two
 * @param text what it is like
 * @param remedy what to do about it; empty where it is well
 */
record Finding(String check, Level level, String text, String remedy) {
  /** How bad it is. */
  enum Level {
    /** As it should be. */
    OK,
    /** A node runs, less well than it could. */
    WARNING,
    /** A node can't run here, or not keep its promises. */
    NO;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  Finding {
    if ((level == Level.OK) != remedy.isEmpty()) {
      throw new IllegalArgumentException(
          "remedy: \"" + remedy + "\" (expected: one for everything but ok, and no other)");
    }
  }

  static Finding ok(String check, String text) {
    return new Finding(check, Level.OK, text, "");
  }

  static Finding warning(String check, String text, String remedy) {
    return new Finding(check, Level.WARNING, text, remedy);
  }

  static Finding no(String check, String text, String remedy) {
    return new Finding(check, Level.NO, text, remedy);
  }
}
