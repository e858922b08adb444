package io.theseus.upgrade;

import akka.actor.typed.ActorRef;
import akka.stream.SourceRef;
import akka.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * What goes from node to node about upgrades, around what {@link Codec} writes; akka.actor's
 * serialization-bindings name it.
 */
public sealed interface Remote {
  /**
   * To the agent or the coordinator of a node.
   *
   * @param from id of the node that sent it
   * @param message JSON, by {@link Codec}
   */
  record Envelope(String from, String message) implements Remote, UpgradeActor.Command {}

  /**
   * A request of an operator, to whoever coordinates.
   *
   * @param request JSON, by {@link Codec}
   */
  record Submit(String request, ActorRef<Submitted> replyTo)
      implements Remote, CoordinatorActor.Command {}

  /**
   * The answer to it.
   *
   * @param answer JSON, by {@link Codec}
   */
  record Submitted(String answer) implements Remote {}

  /** Asks whoever coordinates how far the act under way is. */
  record AskProgress(ActorRef<ProgressOfNodes> replyTo)
      implements Remote, CoordinatorActor.Command {}

  /** The answer to it, by {@link Codec}. */
  record ProgressOfNodes(String progress) implements Remote {}

  /** Wants a jar or a description. */
  record Want(String sha256, ActorRef<Offer> replyTo) implements Remote, ModuleExchange.Command {}

  /**
   * The answer to it.
   *
   * @param content null where it isn't there
   */
  record Offer(@Nullable SourceRef<ByteString> content) implements Remote {}
}
