package io.theseus.net;

import io.theseus.access.Rights;
import io.theseus.access.Watched;
import java.time.Duration;

/**
 * What the TLS port is opened with; checked by whoever reads the configuration.
 *
 * @param host address to bind
 * @param port 0 for any free one
 * @param advertise {@code host:port} as clients reach it; empty: as bound
 * @param handshake how long a client may take to begin TLS and end its handshake
 * @param keys what is shown to the next client
 * @param anonymous what clients without a token may do
 */
public record TlsSettings(
    String host,
    int port,
    String advertise,
    Duration handshake,
    Watched<ServerTls> keys,
    Rights anonymous) {}
