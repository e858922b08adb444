package io.theseus.session;

import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Writes log lines that carry a session's id, one line an event. */
public final class SessionLog {
  private static final Logger LOG = LoggerFactory.getLogger("io.theseus.session");

  private final UUID session;

  public SessionLog(UUID session) {
    this.session = session;
  }

  /** An event of the ordinary course. */
  public void info(String format, Object... values) {
    MDC.put("session", session.toString());
    LOG.info(format, values);
    MDC.remove("session");
  }

  /** An event that somebody should look at. */
  public void warn(String format, Object... values) {
    MDC.put("session", session.toString());
    LOG.warn(format, values);
    MDC.remove("session");
  }
}
