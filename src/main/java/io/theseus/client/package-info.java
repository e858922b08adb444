/**
 * The transfer client as a library: GET, PUT, STAT, LIST and DELETE over the packet protocol.
 *
 * <p>Commands come in at {@link io.theseus.client.TheseusClient}, bytes through {@link
 * io.theseus.client.Producer} (PUT) or out through {@link io.theseus.client.Consumer} (GET); what
 * happens on the way is told to a {@link io.theseus.client.TransferListener}. A call blocks until
 * the transfer has ended and survives lost connections, restarts of nodes and their moving: {@code
 * Reconnector} decides where and when to try again, {@code GetTransfer} and {@code PutTransfer}
 * hold what has been consumed or acknowledged, {@code Connection} moves packets on one socket.
 *
 * <p>One thread, the caller's, owns socket and protocol state. What may block for long or costs
 * much has a thread of its own with a bounded queue: hashing, standard output, standard input.
 *
 * <p>Knows {@code io.theseus.wire} and nothing else of the house. Start reading at {@link
 * io.theseus.client.TheseusClient}, then {@code GetTransfer}.
 */
@NullMarked
package io.theseus.client;

import org.jspecify.annotations.NullMarked;
