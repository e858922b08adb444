package io.theseus.session;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Settings of sessions.
 *
 * @param keep how long an unfinished PUT is kept after the loss of its last connection
 * @param keepGet how long a GET that can't be begun again elsewhere (a live source) is kept
 * @param markBytes a GET is marked when so many bytes were acknowledged since its last mark
 * @param markInterval or when so much time went by
 */
public record SessionSettings(
    Duration keep, Duration keepGet, long markBytes, Duration markInterval) {
  public SessionSettings {
    positive("theseus.session.keep", keep);
    positive("theseus.session.keep-get", keepGet);
    positive("theseus.session.mark-interval", markInterval);
    if (markBytes < 1) {
      throw new IllegalArgumentException(
          "theseus.session.mark-bytes: " + markBytes + " (expected: at least 1)");
    }
  }

  /** Reads {@code theseus.session}. */
  public static SessionSettings from(Config config) {
    return new SessionSettings(
        config.getDuration("keep"),
        config.getDuration("keep-get"),
        config.getBytes("mark-bytes"),
        config.getDuration("mark-interval"));
  }

  private static void positive(String key, Duration value) {
    if (value.isZero() || value.isNegative()) {
      throw new IllegalArgumentException(key + ": " + value + " (expected: more than 0)");
    }
  }
}
