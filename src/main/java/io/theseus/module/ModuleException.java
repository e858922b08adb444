package io.theseus.module;

/** A module that is refused, in words: what was wrong, and what was expected. */
public final class ModuleException extends Exception {
  private static final long serialVersionUID = 1L;

  /** No cause: one that comes out of a module's code would keep its class loader. */
  public ModuleException(String message) {
    super(message);
  }

  /** The refusal; always there. */
  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
