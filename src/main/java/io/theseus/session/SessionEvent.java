package io.theseus.session;

import io.theseus.journal.FinalEvent;
import io.theseus.wire.Epoch;
import java.util.List;

/** What the journal keeps of a session. */
public sealed interface SessionEvent {

  /** The first mark: what the session is, and how far it has come. */
  record Begun(Facts facts, String module, long offset) implements SessionEvent {}

  /** All before the offset is durable (PUT) or acknowledged (GET). */
  record Checkpointed(long offset) implements SessionEvent {}

  /** Held at the offset. */
  record Paused(long offset) implements SessionEvent {}

  /** Goes on under another module. */
  record RevisionChanged(String module) implements SessionEvent {}

  /** Functions changed bytes of it, or may have, up to some mark that follows. */
  record Altered() implements SessionEvent {}

  /**
   * Copies of it are made.
   *
   * @param epoch of the owner: what they obey
   * @param nodes that have them
   */
  record Copied(Epoch epoch, List<String> nodes) implements SessionEvent {}

  /**
   * All is here and on the copies, and nothing can be refused any more: from here on it is only
   * forward.
   *
   * @param version of the name
   * @param size bytes, all of which are durable
   */
  record Committing(String version, long size) implements SessionEvent {}

  /** Over; nothing of it is kept. */
  record Ended(String outcome) implements SessionEvent, FinalEvent {}
}
