package io.theseus.module;

/** What serves a session: the unit of version that an upgrade replaces by another. */
public record Revision(DataChannelProvider provider) {
  /** The revision that a node boots with. */
  public static Revision builtIn() {
    return new Revision(new StandardChannel.Provider());
  }

  /** Whether it is this program's own code, and none of a module's. */
  public boolean isBuiltIn() {
    return provider instanceof StandardChannel.Provider;
  }

  /** {@code name@version}, as READY and RESUMED name it. */
  public String module() {
    return provider.name() + "@" + provider.version();
  }
}
