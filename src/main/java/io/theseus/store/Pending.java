package io.theseus.store;

/** Stands where the behaviour of a fixed signature follows within the hour. */
final class Pending {
  private Pending() {}

  @SuppressWarnings({"TypeParameterUnusedInFormals", "DoNotCallSuggester"})
  static <T> T value() {
    throw new UnsupportedOperationException("not built yet");
  }
}
