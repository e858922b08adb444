package io.theseus.client;

/**
 * Is told of every packet, one line each: {@code <} received or {@code >} sent, then what it is.
 *
 * <p>Called on the transfer's thread, for every DATA too: only for looking, never for speed.
 * Secrets (Token) are left out, control characters are escaped.
 */
@FunctionalInterface
public interface PacketTrace {
  void packet(String line);
}
