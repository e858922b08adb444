package io.theseus.channel;

/** The version of the interfaces in this package, which a module names. */
public final class Spi {
  /**
   * A node loads modules that were built for this version. A new method with a default keeps it;
   * whatever breaks code that was compiled before raises it.
   */
  public static final int VERSION = 1;

  private Spi() {}
}
