package io.theseus.net;

import io.theseus.access.Rights;
import java.time.Duration;

/**
 * What the TCP door is opened with; checked by whoever reads the configuration.
 *
 * @param host address to bind
 * @param port 0 for any free one
 * @param advertise {@code host:port} as clients reach this node; empty: as bound
 * @param idle silence that is borne, at least 10 s
 * @param maxData most bytes in a DATA, both directions, 4 KiB to 16 MiB
 * @param putWindow bytes of a PUT in flight past the last OFFSET
 * @param getWindow most bytes of a GET in flight that a client may ask for
 * @param checkpointDelay a PUT that pauses is made durable after this time
 * @param keep how long an unfinished PUT is kept, for READY
 * @param maxConnections that may be open, all ports together; 0 for any number
 * @param maxConnectionsBy what sets that limit
 * @param maxConnectionsPerSource the same for those of one source
 * @param anonymous what clients without a token may do on the port without TLS
 */
public record NetSettings(
    String host,
    int port,
    String advertise,
    Duration idle,
    int maxData,
    long putWindow,
    long getWindow,
    Duration checkpointDelay,
    Duration keep,
    int maxConnections,
    String maxConnectionsBy,
    int maxConnectionsPerSource,
    Rights anonymous) {}
