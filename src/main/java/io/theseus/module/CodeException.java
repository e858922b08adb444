package io.theseus.module;

/**
 * What code of a module did wrong, as text: nothing that a module threw leaves this package,
 * because it would keep the module's classes in memory.
 */
public final class CodeException extends Exception {
  private static final long serialVersionUID = 1L;

  CodeException(String message) {
    super(message, null, false, false);
  }

  /**
   * Something that was thrown by a call.
   *
   * @param component {@code name@version} of the code that was called
   * @param call the method
   */
  static CodeException thrown(String component, String call, Throwable thrown) {
    StackTraceElement[] trace;
    try {
      trace = thrown.getStackTrace();
    } catch (Throwable again) { // its methods are the module's, too
      trace = new StackTraceElement[0];
    }
    return new CodeException(
        component
            + ": "
            + call
            + " threw "
            + Thrown.text(thrown)
            + (trace.length == 0 ? "" : " at " + trace[0]));
  }
}
