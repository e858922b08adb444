package io.theseus.session;

import org.jspecify.annotations.Nullable;

/**
 * What the journal says of a session.
 *
 * @param facts null before the first mark
 * @param module that it ran under last
 * @param offset of the last mark, in bytes
 * @param paused whether it was held and not switched since
 * @param altered whether functions may have changed bytes of it
 */
record SessionState(
    @Nullable Facts facts, String module, long offset, boolean paused, boolean altered) {
  static final SessionState NONE = new SessionState(null, "", 0, false, false);

  SessionState on(SessionEvent event) {
    if (event instanceof SessionEvent.Begun begun) {
      return new SessionState(begun.facts(), begun.module(), begun.offset(), false, altered);
    } else if (event instanceof SessionEvent.Checkpointed checkpointed) {
      return new SessionState(facts, module, checkpointed.offset(), paused, altered);
    } else if (event instanceof SessionEvent.Paused pausedAt) {
      return new SessionState(facts, module, pausedAt.offset(), true, altered);
    } else if (event instanceof SessionEvent.RevisionChanged changed) {
      return new SessionState(facts, changed.module(), offset, false, altered);
    } else if (event instanceof SessionEvent.Altered) {
      return new SessionState(facts, module, offset, paused, true);
    }
    return NONE;
  }
}
