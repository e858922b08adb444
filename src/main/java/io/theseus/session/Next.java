package io.theseus.session;

import java.util.List;

/**
 * What a handler of a session wants: events first, then an act.
 *
 * @param events to be durable before the act
 * @param then what may be said once they are
 */
record Next(List<SessionEvent> events, Runnable then) {
  static final Next STAY = new Next(List.of(), () -> {});

  static Next persist(List<SessionEvent> events, Runnable then) {
    return new Next(events, then);
  }
}
