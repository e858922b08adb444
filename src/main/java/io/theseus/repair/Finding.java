package io.theseus.repair;

/**
 * A file that is not what was stored.
 *
 * @param name of it
 * @param repairedFrom the node from which it was repaired; empty where it was not
 * @param reason why it was not; empty where it was
 */
public record Finding(String name, String repairedFrom, String reason) {}
