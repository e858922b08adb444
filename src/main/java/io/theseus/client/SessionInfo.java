package io.theseus.client;

import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What READY said, and where the transfer goes on.
 *
 * @param size of the file; empty while it is unknown
 * @param identity of the file that is got; empty for a PUT
 * @param module name@version of the data channel
 * @param node the node that serves
 * @param nodes where the session can be resumed
 * @param windowBytes in force; 0: stop-and-wait
 * @param maxDataBytes the longest DATA
 * @param idle the silence that the server accepts
 * @param offset where the transfer goes on
 * @param live the other end can't be rewound
 */
public record SessionInfo(
    UUID session,
    OptionalLong size,
    String identity,
    String module,
    String node,
    List<NodeAddress> nodes,
    long windowBytes,
    int maxDataBytes,
    Duration idle,
    long offset,
    boolean live) {}
