package io.theseus.channel;

import java.util.OptionalLong;
import java.util.UUID;

/**
 * What a session is, as the code of modules sees it.
 *
 * @param id of the session, as in READY
 * @param direction which way the bytes go
 * @param name that the client asked for
 * @param size bytes of the transfer; empty where it is not known yet
 * @param client IP address of the client, without its port
 */
public record SessionInfo(
    UUID id, Direction direction, String name, OptionalLong size, String client) {}
