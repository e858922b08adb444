package io.theseus.peer;

import java.util.Set;

/**
 * Where members reach this node's data plane.
 *
 * @param nodeId this node's
 * @param nodes ids of those that may connect; empty: this node alone
 * @param host to listen on
 * @param port 0 for any
 * @param advertise {@code host:port} by which others reach it; empty for host and the port in use
 * @param mostHeldBytes that came from others and are not written yet: with more nothing is read
 */
public record PeerSettings(
    String nodeId,
    Set<String> nodes,
    String host,
    int port,
    String advertise,
    long mostHeldBytes) {}
