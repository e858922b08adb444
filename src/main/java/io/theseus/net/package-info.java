/**
 * The TCP door: listener, connections, and the pumps that decide packet by packet.
 *
 * <p>In: bytes of clients; grants, holds and acknowledgements of sessions ({@link
 * io.theseus.session.SessionLink}). Out: packets to clients, bytes to {@link
 * io.theseus.store.Upload.Writer}, reports to sessions. The event loop of a connection owns it: it
 * alone touches its state and writes what leaves. The pumps ({@code GetPump}, {@code PutPump}) are
 * pure state machines without a socket. Start reading at {@code Connection}.
 */
@NullMarked
package io.theseus.net;

import org.jspecify.annotations.NullMarked;
