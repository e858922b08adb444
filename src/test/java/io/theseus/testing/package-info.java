/**
 * Fixtures for tests of whole nodes: real processes, and clients that hold every packet in hand.
 *
 * <p>Data in: a directory, settings. Data out: what a node did, as a client, the disk and its log
 * show it. Start with {@link io.theseus.testing.NodeProcess}, then {@link
 * io.theseus.testing.RawTransfer}. The clients in here share no code with the server or the client
 * library: a fault that both had would hide itself.
 */
@NullMarked
package io.theseus.testing;

import org.jspecify.annotations.NullMarked;
