package io.theseus.session;

/**
 * Why a connection no longer serves its session.
 *
 * @param endsSession whether the session ends with it (FAILED); otherwise it can be resumed
 * @param reason for people
 */
public record Closure(boolean endsSession, String reason) {}
