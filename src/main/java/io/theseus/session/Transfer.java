package io.theseus.session;

import io.theseus.store.LiveStream;
import io.theseus.store.StoredFile;
import io.theseus.store.Upload;
import io.theseus.wire.ClientMessage;
import io.theseus.wire.ErrorCode;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The part of a session that outlives its actor: a plain object with the open file and connection.
 *
 * <p>Exactly one incarnation of the session's actor touches it at a time; the next one gets it from
 * the supervisor after the death of the last (<i>adoption</i>), which orders their accesses. What
 * must survive the process is in the journal and in the store instead.
 */
public final class Transfer {
  final UUID id;

  /** The connection in use; null while there is none. */
  @Nullable SessionLink link;

  /** The command that the current connection sent. */
  ClientMessage.@Nullable Command command;

  /** What the session is; null until it was accepted once, or recovered. */
  @Nullable Facts facts;

  @Nullable Upload upload;
  @Nullable StoredFile file;
  @Nullable LiveStream live;

  /** Whether the journal knows the session. */
  boolean marked;

  /** Whether the command of the current connection was answered by READY. */
  boolean accepted;

  /** Whether the bytes are all here and the commit may have begun. */
  boolean committing;

  boolean held;
  long workerGeneration;
  long durable;
  long lastMark;
  long lastMarkNanos;
  @Nullable Report report;

  private Transfer(UUID id, boolean marked) {
    this.id = id;
    this.marked = marked;
  }

  /** A session that begins. */
  public static Transfer begin(UUID id) {
    return new Transfer(id, false);
  }

  /** A session of which the journal of this node has marks. */
  public static Transfer recover(UUID id) {
    return new Transfer(id, true);
  }

  public UUID id() {
    return id;
  }

  /** Ends the connection when the session's actor can't any more; the session itself stays. */
  public void disconnect(ErrorCode code, String message) {
    SessionLink connected = link;
    if (connected != null) {
      link = null;
      accepted = false;
      connected.fail(code, message);
    }
  }
}
