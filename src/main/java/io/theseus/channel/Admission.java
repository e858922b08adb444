package io.theseus.channel;

/** Whether a session may be, and under which name. */
public sealed interface Admission {
  /** It may. */
  record Admit() implements Admission {}

  /**
   * It may not: ERROR {@code denied}, and the connection ends.
   *
   * @param reason for people
   */
  record Deny(String reason) implements Admission {}

  /**
   * It may, but its data comes from, or goes to, another name. Only for a session that begins; one
   * that runs keeps its place.
   *
   * @param name where the data is instead; checked like a client's
   */
  record Redirect(String name) implements Admission {}

  /** It may. */
  static Admission admit() {
    return new Admit();
  }

  /** It may not. */
  static Admission deny(String reason) {
    return new Deny(reason);
  }

  /** It may, under another name. */
  static Admission redirect(String name) {
    return new Redirect(name);
  }
}
