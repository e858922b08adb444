package io.theseus.repair;

import akka.actor.typed.ActorRef;

/** What nodes say to each other of the files that they see to. */
public sealed interface Remote {
  /**
   * A file is rotten on a node: bring yours there, where it is sound. Said again until it is done.
   * Answered by {@link Brought}.
   *
   * @param node to which
   */
  record Bring(String name, String version, String node, ActorRef<Brought> replyTo)
      implements Remote, RepairActor.Command {}

  /**
   * How far that is.
   *
   * @param running whether it is to be asked again
   * @param reason why it is not brought; empty where it is
   */
  record Brought(boolean running, String reason) implements Remote {}

  /** Read the files whose names begin so. Answered by {@link Reading}. */
  record Verify(String prefix, String who, ActorRef<Reading> replyTo)
      implements Remote, RepairActor.Command {}

  /** How far is that? Answered by {@link Reading}. */
  record Look(ActorRef<Reading> replyTo) implements Remote, RepairActor.Command {}

  /**
   * How far it is.
   *
   * @param refusal why it does not begin; empty where it does, and where that was not asked
   */
  record Reading(ScrubStatus status, String refusal) implements Remote {}
}
