package io.theseus.backup;

import akka.actor.typed.ActorRef;
import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What nodes tell each other about copies; akka.actor's serialization-bindings name it. The bytes
 * themselves travel beside the actors.
 */
public sealed interface Remote {
  /** What a backup is told of one session. */
  sealed interface OfSession extends Remote, BackupNode.Command {
    UUID session();

    /** Of who tells it; one below the highest that the backup has seen is refused. */
    Epoch epoch();
  }

  /** What a backup answers. */
  sealed interface Answer extends Remote, Replicator.Command {
    UUID session();

    Epoch epoch();

    /** The backup's. */
    String node();
  }

  /**
   * A session is received here; keep a copy of it. Answered by {@link Ready}, or by {@link
   * Committed} where the copy has its name already.
   *
   * @param name of the file
   * @param size bytes, where known
   * @param modified the time that the file shall have
   * @param durable bytes that the owner had when it became the owner: of a copy that was made for
   *     an owner before it, no more is worth anything
   * @param sums whether the sums of all blocks come with the bytes, which saves the SHA-256
   * @param host and port: of the data plane of who has it
   */
  record BackupInfo(
      UUID session,
      Epoch epoch,
      String name,
      OptionalLong size,
      Optional<Instant> modified,
      long durable,
      boolean sums,
      String owner,
      String host,
      int port,
      ActorRef<Replicator.Command> replyTo)
      implements OfSession {}

  /**
   * A mark: so many bytes are there to be had, and are to be durable. Cumulative. Answered by
   * {@link Ack}.
   *
   * @param offset of the first byte behind the last mark
   * @param length bytes
   */
  record BackupData(UUID session, Epoch epoch, long offset, long length) implements OfSession {
    /** Behind the last byte. */
    long end() {
      return offset + length;
    }
  }

  /**
   * All bytes are there: decide, so that nothing can be refused any more. Answered by {@link
   * Sealed}.
   *
   * @param sha256 of the file
   * @param received SHA-256 of what the client sent, where known
   * @param lastSum CRC32C of the last block, where it is not whole
   * @param version that the name shall have
   */
  record Seal(
      UUID session,
      Epoch epoch,
      long size,
      String sha256,
      Optional<String> received,
      int lastSum,
      String version)
      implements OfSession {}

  /** Give the copy its name. Answered by {@link Committed}. */
  record Commit(UUID session, Epoch epoch, String name) implements OfSession {}

  /**
   * Compare the sums of all whole blocks before the offset. Answered by {@link Verified}, or by
   * {@link Refused} where one differs.
   */
  record Verify(UUID session, Epoch epoch, long offset) implements OfSession {}

  /** Nothing of the session is wanted any more. Not answered. */
  record Release(UUID session, Epoch epoch) implements OfSession {}

  /**
   * The copy has begun, or goes on.
   *
   * @param durable bytes that it has already
   * @param progress grows as long as it gets on
   */
  record Ready(UUID session, Epoch epoch, String node, long durable, long progress)
      implements Answer {}

  /** All before the offset is durable on the backup. */
  record Ack(UUID session, Epoch epoch, String node, long durable) implements Answer {}

  /** All whole blocks before the offset are as they are where they came from. */
  record Verified(UUID session, Epoch epoch, String node, long offset) implements Answer {}

  /** The copy is whole, and can be committed. */
  record Sealed(UUID session, Epoch epoch, String node) implements Answer {}

  /** The copy has its name, durably. */
  record Committed(UUID session, Epoch epoch, String node) implements Answer {}

  /** The copy can't go on, and nothing more comes of it. */
  record Refused(UUID session, Epoch epoch, String node, ErrorCode code, String reason)
      implements Answer {}

  /** Asks a backup who it is, and how much it has to do. Answered by {@link Offer}. */
  record Enquire(String node, ActorRef<Replicator.Command> replyTo)
      implements Remote, BackupNode.Command {}

  /**
   * Who a backup is.
   *
   * @param rack where it stands; empty where it doesn't say
   * @param host and port: of its data plane
   * @param freeBytes that it may still keep
   * @param sessions that it copies now
   * @param behindBytes that came to it and are not written
   * @param draining whether it is to get no new copies
   * @param filesLeft files that it has yet to bring elsewhere where it drains; -1: not known
   */
  record Offer(
      String node,
      String rack,
      String host,
      int port,
      long freeBytes,
      int sessions,
      long behindBytes,
      boolean draining,
      long filesLeft,
      ActorRef<BackupNode.Command> backup)
      implements Remote, Replicator.Command {}

  /** Get no new copies, or get them again. Answered by {@link Drained}. */
  record Drain(boolean drain, String who, ActorRef<Drained> replyTo)
      implements Remote, BackupNode.Command {}

  /**
   * What a backup does now.
   *
   * @param running copies that it makes of what runs
   * @param failure why it could not be kept; empty where it is
   */
  record Drained(boolean draining, int running, String failure) implements Remote {}

  /** Let backups register, or no more. Answered by {@link RegistrationSet}. */
  record SetRegistration(boolean open, String who, ActorRef<RegistrationSet> replyTo)
      implements Remote, Replicator.Command {}

  /** Whether backups may register with a node. */
  record RegistrationSet(boolean open) implements Remote {}

  /** What becomes of a copy. */
  enum Fate {
    /** It is to be kept: the session goes on, or may. */
    WANTED,

    /** It may go: the session is committed there. */
    DONE,

    /** That node has never heard of it, or has forgotten it. */
    UNKNOWN
  }

  /**
   * Asks what became of a session that nobody has said anything of for a while. Answered by {@link
   * Told}.
   *
   * @param name of the file
   * @param node that has the copy
   */
  record Ask(UUID session, String name, String node, ActorRef<BackupNode.Command> replyTo)
      implements Remote, Replicator.Command {}

  /** What a node knows of a session. */
  record Told(UUID session, String by, Fate fate) implements Remote, BackupNode.Command {}

  /** A node has taken the backup into its list. */
  record Registered(String by) implements Remote, BackupNode.Command {}
}
