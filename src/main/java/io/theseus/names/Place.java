package io.theseus.names;

/**
 * Where clients reach a node.
 *
 * @param node its id
 * @param plain {@code host:port}; empty text where there is none
 * @param encrypted the same for clients over TLS
 */
public record Place(String node, String plain, String encrypted) {}
