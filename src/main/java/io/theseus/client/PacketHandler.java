package io.theseus.client;

import io.theseus.wire.ProtocolException;

/**
 * Takes what a connection receives, in order. A {@link ProtocolException} says that the server
 * broke the protocol.
 */
interface PacketHandler {
  void onInfo(String text) throws ProtocolException, AttemptException, TransferException;

  void onOffset(long offset) throws ProtocolException, AttemptException, TransferException;

  /** The header of a DATA; its payload follows. */
  void onData(long offset, int length)
      throws ProtocolException, AttemptException, TransferException;

  /** A piece of payload. Who keeps it past the call retains the chunk. */
  void onPayload(Chunk chunk, int position, int length, boolean last)
      throws ProtocolException, AttemptException, TransferException;

  /** Whether more can be taken now. */
  default boolean mayRead() {
    return true;
  }
}
