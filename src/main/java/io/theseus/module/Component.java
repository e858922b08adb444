package io.theseus.module;

import io.theseus.wire.Texts;
import java.util.regex.Pattern;

/**
 * One class of a module that an upgrade can put to work.
 *
 * @param name unique in its module
 * @param className as {@link Class#forName(String)} takes it
 */
public record Component(ComponentKind kind, String name, String className) {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,63}");
  private static final Pattern CLASS_NAME =
      Pattern.compile("[A-Za-z_$][A-Za-z0-9_$]*(\\.[A-Za-z_$][A-Za-z0-9_$]*)*");

  public Component {
    requireName("component", name);
    if (className.length() > StrictZip.MOST_NAME || !CLASS_NAME.matcher(className).matches()) {
      throw new IllegalArgumentException(
          "class: " + Texts.quote(className) + " (expected: the name of a class in ASCII)");
    }
  }

  /** The entry of the jar that holds its class. */
  String entry() {
    return className.replace('.', '/') + ".class";
  }

  /** Modules and components are named alike. */
  static void requireName(String what, String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          what
              + ": "
              + Texts.quote(name)
              + " (expected: 1 to 64 of a-z 0-9 -, beginning with a letter)");
    }
  }
}
