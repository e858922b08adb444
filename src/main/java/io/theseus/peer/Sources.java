package io.theseus.peer;

import io.theseus.store.Source;
import io.theseus.wire.Epoch;
import io.theseus.wire.ProtocolException;
import java.util.UUID;

/** What a node has to give. */
@FunctionalInterface
public interface Sources {
  /**
   * Opens what a session has staged, or has committed; may wait for the disk.
   *
   * @param epoch by which it is asked for
   * @throws ProtocolException where there is nothing, or the session has another owner
   */
  Source open(UUID session, Epoch epoch) throws ProtocolException;
}
