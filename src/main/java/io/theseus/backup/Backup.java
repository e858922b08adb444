package io.theseus.backup;

/**
 * A backup that a node can reach.
 *
 * @param rack where it stands; empty where it doesn't say
 * @param freeBytes that it may still keep
 * @param sessions that it copies now
 * @param behindBytes that it holds in memory, not written
 * @param draining whether it is to get no new copies
 * @param filesLeft files that it has yet to bring elsewhere where it drains; -1: not known
 * @param registered whether it may get any
 */
public record Backup(
    String node,
    String rack,
    long freeBytes,
    int sessions,
    long behindBytes,
    boolean draining,
    long filesLeft,
    boolean registered) {}
