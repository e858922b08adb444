package io.theseus.module;

/**
 * A module whose signature was checked; only {@link ModuleKeys} and {@link ModuleStore}, which
 * takes nothing else in, make one. So a type says what a comment would ask for: no byte of a module
 * is defined before its signature was checked.
 */
public final class VerifiedModule {
  private final ModuleArchive archive;

  VerifiedModule(ModuleArchive archive) {
    this.archive = archive;
  }

  /** What was checked: these very bytes. */
  public ModuleArchive archive() {
    return archive;
  }

  /** What it says of itself. */
  public ModuleDescriptor descriptor() {
    return archive.descriptor();
  }

  @Override
  public String toString() {
    return archive.toString();
  }
}
