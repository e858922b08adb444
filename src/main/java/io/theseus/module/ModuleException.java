package io.theseus.module;

/**
 * What code of a module did wrong, as text: nothing that a module threw leaves this package,
 * because it would keep the module's classes in memory.
 */
public final class ModuleException extends Exception {
  private static final long serialVersionUID = 1L;

  ModuleException(String message) {
    super(message, null, false, false);
  }

  /**
   * Something that was thrown by a call.
   *
   * @param component {@code name@version} of the code that was called
   * @param call the method
   */
  static ModuleException thrown(String component, String call, Throwable thrown) {
    StackTraceElement[] trace;
    String text;
    try {
      text = thrown.toString();
      trace = thrown.getStackTrace();
    } catch (Throwable worse) { // its own methods are the module's, too
      text = thrown.getClass().getName();
      trace = new StackTraceElement[0];
    }
    return new ModuleException(
        component + ": " + call + " threw " + text + (trace.length == 0 ? "" : " at " + trace[0]));
  }
}
