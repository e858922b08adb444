package io.theseus.module;

import io.theseus.wire.Texts;

/** What module code threw, as text: the object itself would keep the code's class loader. */
final class Thrown {
  private Thrown() {}

  /** Its class and message; asking it for them runs code of the module, which may throw again. */
  static String text(Throwable thrown) {
    String name = thrown.getClass().getName();
    try {
      String message = thrown.getMessage();
      return message == null ? name : name + ": " + Texts.escape(message);
    } catch (Throwable again) {
      return name;
    }
  }
}
