package io.theseus.session;

import java.util.List;

/**
 * What a handler of a session wants: events first, then an act, then perhaps the end of the actor.
 *
 * @param events to be durable before the act
 * @param then what may be said once they are
 */
record Next(List<SessionEvent> events, Runnable then, boolean stop) {
  static final Next STAY = new Next(List.of(), () -> {}, /* stop= */ false);
  static final Next STOP = new Next(List.of(), () -> {}, /* stop= */ true);

  static Next persist(List<SessionEvent> events, Runnable then) {
    return new Next(events, then, /* stop= */ false);
  }
}
