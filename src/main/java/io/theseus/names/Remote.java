package io.theseus.names;

import akka.actor.typed.ActorRef;
import io.theseus.store.Entry;
import io.theseus.wire.ErrorCode;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What nodes ask each other about names; akka.actor's serialization-bindings name it. Each question
 * may be asked again until it is answered.
 */
public sealed interface Remote extends NamesActor.Command {
  /** A question, by which node, and how it names it. */
  sealed interface Question extends Remote {
    long id();

    String from();

    ActorRef<NamesActor.Command> replyTo();
  }

  /** An answer to the question of that id. */
  sealed interface Answer extends Remote {
    long id();

    String node();
  }

  /** Who are you? Answered by {@link Here}. */
  record Hello(long id, String from, ActorRef<NamesActor.Command> replyTo) implements Question {}

  /**
   * A node, and where clients reach it.
   *
   * @param forgotten when the last deletion was that it knows no more
   */
  record Here(long id, String node, Place place, Instant forgotten) implements Answer {}

  /**
   * What do you know of a name? Answered by {@link Known}.
   *
   * @param session of which is also asked whether it is there, or has committed that name
   * @param upload whether the name is to be an upload's
   */
  record Find(
      long id,
      String from,
      String name,
      Optional<UUID> session,
      boolean upload,
      ActorRef<NamesActor.Command> replyTo)
      implements Question {}

  /**
   * What a node knows of a name.
   *
   * @param kind none, file, deleted, live
   * @param version empty text for none and live
   * @param size and what follows: of a file
   * @param hasSession whether the session that was asked for is there, or has committed the name
   * @param obstacle why the name can't be an upload's there; empty text where it can
   */
  record Known(
      long id,
      String node,
      Place place,
      Entry.Kind kind,
      String version,
      OptionalLong size,
      String identity,
      Optional<Instant> modified,
      Optional<String> sha256,
      boolean hasSession,
      String obstacle)
      implements Answer {}

  /**
   * A version of the name is durable elsewhere: let go of what is older. Answered by {@link Done}.
   *
   * @param deleted whether that version is a deletion, which is to be remembered
   */
  record Supersede(
      long id,
      String from,
      String name,
      String version,
      boolean deleted,
      ActorRef<NamesActor.Command> replyTo)
      implements Question {}

  /** It is done, durably. */
  record Done(long id, String node) implements Answer {}

  /** A page of names? Answered by {@link Page}. */
  record ListNames(
      long id,
      String from,
      String prefix,
      Optional<String> after,
      int maxBytes,
      ActorRef<NamesActor.Command> replyTo)
      implements Question {}

  /** One name of a page. */
  record Row(
      String name,
      OptionalLong size,
      String identity,
      Optional<Instant> modified,
      String version) {}

  /**
   * Names of a node, in byte order.
   *
   * @param through up to which name that is all there are; empty: all
   */
  record Page(long id, String node, List<Row> rows, Optional<String> through) implements Answer {}

  /** A name, and the version of it that a node has. */
  record Versioned(String name, String version) {}

  /** These are here: of which is there something newer, or the same? Answered by {@link Newer}. */
  record Compare(long id, String from, List<Versioned> names, ActorRef<NamesActor.Command> replyTo)
      implements Question {}

  /**
   * Something that is newer.
   *
   * @param deleted whether it is a deletion
   */
  record NewerOne(String name, String version, boolean deleted) {}

  /**
   * What is newer.
   *
   * @param same those that are there in the same version, by their place in the question
   * @param leaving whether what is there is on its way elsewhere, and counts as no copy
   */
  record Newer(long id, String node, List<NewerOne> names, List<Integer> same, boolean leaving)
      implements Answer {}

  /** May a session be the only one that decides about a name? Answered by {@link Claimed}. */
  record Claim(
      long id, String from, String name, UUID session, ActorRef<NamesActor.Command> replyTo)
      implements Question {}

  /** Whether it may. */
  record Claimed(long id, String node, boolean granted) implements Answer {}

  /** It has decided. Answered by {@link Done}. */
  record Unclaim(
      long id, String from, String name, UUID session, ActorRef<NamesActor.Command> replyTo)
      implements Question {}

  /** A session has a connection elsewhere: end the one that it has there. {@link Done}. */
  record Fence(long id, String from, UUID session, ActorRef<NamesActor.Command> replyTo)
      implements Question {}

  /** It can't be answered. */
  record Failed(long id, String node, ErrorCode code, String reason) implements Answer {}
}
