package io.theseus.backup;

import java.time.Duration;
import java.util.Optional;

/**
 * How many copies there are of what a node receives.
 *
 * @param nodeId this node's
 * @param rack where this node stands; empty where it doesn't matter
 * @param factor copies on other members, 0 to 8
 * @param hold whether a PUT waits where there are not so many backups; otherwise it goes on with
 *     fewer copies
 * @param registration how long after the node's start backups may register with it; empty for ever
 */
public record BackupSettings(
    String nodeId, String rack, int factor, boolean hold, Optional<Duration> registration) {}
