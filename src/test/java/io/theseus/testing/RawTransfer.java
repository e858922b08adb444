package io.theseus.testing;

import io.theseus.testing.PacketSocket.Said;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One session, over as many connections as it takes, which holds the node to its word.
 *
 * <p>It keeps what was acknowledged, of which not one byte may be asked for or sent again, and
 * compares whatever comes with what has to come. A broken promise is an {@link AssertionError}, a
 * lost connection is not.
 */
public abstract class RawTransfer {
  /** How a connection ended. */
  public enum End {
    /** The node said COMPLETE. */
    COMPLETE,
    /** The connection was lost. */
    LOST,
    /** The client has closed it, as it was told to. */
    LEFT
  }

  private final UUID session;
  private final String name;
  private final Content content;
  private volatile long acknowledged;
  private volatile @Nullable Said complete;
  private volatile @Nullable IOException loss;
  private volatile Runnable pace = () -> {};
  private final List<Long> begunAt = new ArrayList<>();

  RawTransfer(UUID session, String name, Content content) {
    this.session = session;
    this.name = name;
    this.content = content;
  }

  public UUID session() {
    return session;
  }

  public String name() {
    return name;
  }

  public Content content() {
    return content;
  }

  /** PUT: the highest OFFSET that came. GET: all that was consumed. */
  public long acknowledged() {
    return acknowledged;
  }

  /** Takes bytes for acknowledged: a promise that the node gave elsewhere. */
  public void acknowledged(long offset) {
    acknowledged = offset;
  }

  /** Whether something was acknowledged and not all: only then a loss shows something. */
  public boolean isBetween() {
    return acknowledged > 0 && acknowledged < content.size();
  }

  public boolean isComplete() {
    return complete != null;
  }

  /** The COMPLETE that came last. */
  public Said complete() {
    Said said = complete;
    if (said == null) {
      throw new AssertionError(this + " is not complete");
    }
    return said;
  }

  /** Where the node began on each connection that came so far. */
  public List<Long> begunAt() {
    return List.copyOf(begunAt);
  }

  /** Why the last connection was lost, for messages. */
  public String loss() {
    return String.valueOf(loss);
  }

  /** Waits before each packet of it, as long as this does. */
  public RawTransfer paced(Runnable by) {
    pace = by;
    return this;
  }

  final void pace() {
    pace.run();
  }

  /** Goes on where it stands, on a new connection, to the end. */
  public End run(InetSocketAddress node) {
    return run(node, Long.MAX_VALUE);
  }

  /** The same, and leaves as soon as so many bytes are acknowledged. */
  public End run(InetSocketAddress node, long upTo) {
    try (PacketSocket socket = new PacketSocket(node)) {
      return over(socket, upTo);
    } catch (IOException e) {
      loss = e;
      return End.LOST;
    }
  }

  abstract End over(PacketSocket socket, long upTo) throws IOException;

  final void begins(long offset) {
    begunAt.add(offset);
  }

  final End completed(Said said) {
    check(said.number("Size") == content.size(), "COMPLETE with Size " + said.field("Size"));
    check(
        said.field("SHA-256").equals(content.sha256Hex()),
        "COMPLETE with SHA-256 " + said.field("SHA-256"));
    Said before = complete;
    check(
        before == null || before.field("Identity").equals(said.field("Identity")),
        "COMPLETE with another Identity than before, " + said.field("Identity"));
    complete = said;
    return End.COMPLETE;
  }

  final void check(boolean kept, String broken) {
    if (!kept) {
      throw new AssertionError(this + ": " + broken);
    }
  }

  @Override
  public String toString() {
    return getClass().getSimpleName()
        + " "
        + name
        + " ("
        + content
        + ", session "
        + session
        + ", acknowledged "
        + acknowledged
        + ")";
  }
}
