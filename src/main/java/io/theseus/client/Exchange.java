package io.theseus.client;

import io.theseus.client.TransferException.Kind;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One command and all that follows it, over as many connections as it takes.
 *
 * <p>{@link #over} runs it on one connection until it is done or that connection is of no more use;
 * what must survive to the next connection are fields of the subclass.
 */
abstract class Exchange implements PacketHandler {
  final ClientSettings settings;
  final TransferListener listener;
  private @Nullable Connection connection;

  Exchange(ClientSettings settings, TransferListener listener) {
    this.settings = settings;
    this.listener = listener;
  }

  /** The text of the command, as it is to be sent now. */
  abstract String command();

  /** Forgets what belonged to the connection before. */
  abstract void begin() throws TransferException;

  /** Whether the last answer has come. */
  abstract boolean done();

  /** Does what is due by now, and says when to come again. */
  abstract long work(long nowNanos) throws ProtocolException, AttemptException, TransferException;

  /** Tells the listener where it stands, where that has changed. */
  void report() throws TransferException {}

  /** Whether the server owes us something, so that its silence means something. */
  abstract boolean owed();

  /** What the verb at hand means; verbs that are common to all have been seen to. */
  abstract void onVerb(String verb, Info info)
      throws ProtocolException, AttemptException, TransferException;

  /** Fields of the session, for MIGRATE; empty where there is none. */
  Optional<UUID> session() {
    return Optional.empty();
  }

  /** Bytes of a PUT that were told to be durable. */
  long acknowledged() {
    return 0;
  }

  /**
   * A last chance after a failed attempt; true where the exchange has changed and is asked anew.
   */
  boolean adapted(AttemptException ended) {
    return false;
  }

  /** The connection that is in use now. */
  Connection connection() {
    if (connection == null) {
      throw new IllegalStateException("no connection");
    }
    return connection;
  }

  /** Runs on this connection. Returns when the exchange is done and the connection is free. */
  void over(Connection on) throws AttemptException, TransferException {
    connection = on;
    try {
      on.beginExchange();
      begin();
      on.sendInfo(command());
      boolean owedBefore = false;
      while (!done()) {
        long now = System.nanoTime();
        long until = Math.min(work(now), on.aliveDueNanos());
        boolean owed = owed();
        if (owed && !owedBefore) {
          // a server that owed nothing was free to be silent until now
          on.heard();
        }
        owedBefore = owed;
        if (owed) {
          if (now - on.silentAtNanos() >= 0) {
            throw on.silent();
          }
          until = Math.min(until, on.silentAtNanos());
        }
        if (now - on.aliveDueNanos() >= 0) {
          on.alive();
        }
        on.pump(this, until);
      }
      report();
    } catch (ProtocolException e) {
      on.giveUp(e.errorText());
      throw new TransferException(
          Kind.PROTOCOL, null, on.node() + " broke the protocol: " + e.errorText(), e);
    }
  }

  @Override
  public final void onInfo(String text)
      throws ProtocolException, AttemptException, TransferException {
    Info info = Info.parse(text);
    switch (info.verb()) {
      case "ALIVE" -> {
        // a sign of life, seen as such by the connection
      }
      case "NOTICE" -> notice(info);
      case "MIGRATE" -> throw migrate(info);
      default -> onVerb(info.verb(), info);
    }
  }

  private void notice(Info info) throws ProtocolException {
    Optional<String> text = info.text("Text").map(Texts::escape);
    Optional<String> replication = info.oneOf("Replication", "full", "under");
    if (text.isPresent() || replication.isPresent()) {
      listener.notice(
          text.map(said -> replication.map(r -> said + " (replication: " + r + ")").orElse(said))
              .orElseGet(() -> "replication: " + replication.orElse("")));
    }
  }

  private AttemptException migrate(Info info) throws ProtocolException {
    Optional<UUID> said = info.uuid("Session");
    Optional<UUID> ours = session();
    if (said.isPresent() && ours.isPresent() && !said.equals(ours)) {
      throw Info.bad("Session", said.get().toString(), ours.get().toString());
    }
    String node = info.text("Node").orElseThrow(() -> Ready.missing("Node"));
    try {
      return AttemptException.migrated(NodeAddress.parse(node));
    } catch (IllegalArgumentException e) {
      throw Info.bad("Node", node, "host:port");
    }
  }

  /** The refusal of a packet that has no place here. */
  static ProtocolException outOfPlace(String what, String expected) {
    return new ProtocolException(
        ErrorCode.BAD_PACKET, what + " out of place (expected: " + expected + ")");
  }
}
