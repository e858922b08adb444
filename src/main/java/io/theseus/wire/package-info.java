/**
 * The packet protocol, version 1: packets, INFO text, names and error codes.
 *
 * <p>Bytes come in through {@link io.theseus.wire.PacketDecoder}, which never copies a payload and
 * never sizes a buffer by an unchecked length; bytes go out through {@link
 * io.theseus.wire.Packets}. Text of INFO packets is read by {@link io.theseus.wire.Info} and, where
 * it is a client's command, by {@link io.theseus.wire.ClientMessage}. The page is {@code
 * docs/protocol.md}. Start reading at {@link io.theseus.wire.PacketDecoder}.
 */
@NullMarked
package io.theseus.wire;

import org.jspecify.annotations.NullMarked;
