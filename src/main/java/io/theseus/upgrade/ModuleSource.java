package io.theseus.upgrade;

import java.io.IOException;
import java.util.Optional;

/** Where modules and descriptions come from that are not on this node: the others. */
@FunctionalInterface
public interface ModuleSource {
  /** A node alone. */
  ModuleSource NONE = sha256 -> Optional.empty();

  /**
   * The bytes with this SHA-256, a jar or a description; not checked yet. Waits for other nodes.
   *
   * @return empty where nobody who could be reached has them
   */
  Optional<byte[]> fetch(String sha256) throws IOException, InterruptedException;
}
