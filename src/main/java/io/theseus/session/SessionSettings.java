package io.theseus.session;

import java.time.Duration;

/**
 * How long sessions are kept and how often a GET is marked; checked by whoever reads the
 * configuration.
 *
 * @param keep how long an unfinished PUT is kept after the loss of its last connection
 * @param keepGet how long a GET that can't be begun again elsewhere (a live source) is kept
 * @param markBytes a GET is marked when so many bytes were acknowledged since its last mark
 * @param markInterval or when so much time went by
 */
public record SessionSettings(
    Duration keep, Duration keepGet, long markBytes, Duration markInterval) {}
