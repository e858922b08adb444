package io.theseus.session;

import io.theseus.wire.Epoch;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the journal says of a session.
 *
 * @param facts null before the first mark
 * @param module that it ran under last
 * @param offset of the last mark, in bytes
 * @param paused whether it was held and not switched since
 * @param altered whether functions may have changed bytes of it
 * @param epoch by which its copies obey; null where there are none
 * @param copies nodes that have copies of it
 * @param version that its name is to have, once all is decided; null before
 */
record SessionState(
    @Nullable Facts facts,
    String module,
    long offset,
    boolean paused,
    boolean altered,
    @Nullable Epoch epoch,
    List<String> copies,
    @Nullable String version) {
  static final SessionState NONE =
      new SessionState(null, "", 0, false, false, null, List.of(), null);

  SessionState {
    copies = Objects.requireNonNullElse(copies, List.of()); // a version without it
  }

  private SessionState at(String running, long reached, boolean held, boolean changed) {
    return new SessionState(facts, running, reached, held, changed, epoch, copies, version);
  }

  SessionState on(SessionEvent event) {
    if (event instanceof SessionEvent.Begun begun) {
      return new SessionState(
          begun.facts(), begun.module(), begun.offset(), false, altered, epoch, copies, version);
    } else if (event instanceof SessionEvent.Checkpointed checkpointed) {
      return at(module, checkpointed.offset(), paused, altered);
    } else if (event instanceof SessionEvent.Paused pausedAt) {
      return at(module, pausedAt.offset(), true, altered);
    } else if (event instanceof SessionEvent.RevisionChanged changed) {
      return at(changed.module(), offset, false, altered);
    } else if (event instanceof SessionEvent.Altered) {
      return at(module, offset, paused, true);
    } else if (event instanceof SessionEvent.Copied copied) {
      return new SessionState(
          facts, module, offset, paused, altered, copied.epoch(), copied.nodes(), version);
    } else if (event instanceof SessionEvent.Committing committing) {
      return new SessionState(
          facts,
          module,
          Math.max(offset, committing.size()),
          paused,
          altered,
          epoch,
          copies,
          committing.version());
    }
    return NONE;
  }
}
