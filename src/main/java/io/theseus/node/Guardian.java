package io.theseus.node;

import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import java.util.function.Consumer;

/** The root of a node's actors: spawns them, and is told nothing. */
final class Guardian {
  /** No messages. */
  sealed interface Command permits Nothing {}

  private enum Nothing implements Command {}

  private Guardian() {}

  /**
   * Spawns the joiner and what the node adds.
   *
   * @param more spawns the actors of the doors and of the sessions
   */
  static Behavior<Command> create(
      NodeSettings settings, JoinView view, Consumer<ActorContext<Command>> more) {
    return Behaviors.setup(
        context -> {
          context.spawn(
              Joiner.create(settings.cluster(), view),
              Joiner.NAME,
              DispatcherSelector.fromConfig(NodeSettings.CONTROL_DISPATCHER));
          more.accept(context);
          return Behaviors.empty();
        });
  }
}
