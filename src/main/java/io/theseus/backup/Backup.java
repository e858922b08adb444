package io.theseus.backup;

/**
 * A backup that a node knows and can reach.
 *
 * @param freeBytes that it may still keep
 * @param sessions that it copies now
 * @param behindBytes that it holds in memory, not written
 */
public record Backup(String node, long freeBytes, int sessions, long behindBytes) {}
