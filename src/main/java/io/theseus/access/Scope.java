package io.theseus.access;

import java.util.Locale;

/** What commands need. */
public enum Scope {
  /** GET, STAT, LIST. */
  READ,
  /** PUT, DELETE. */
  WRITE;

  /** As it stands in a file of tokens. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
