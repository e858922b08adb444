package io.theseus.node;

import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import java.util.function.Consumer;

/** The root of a node's actors: spawns them. */
final class Guardian {
  /** What the guardian can be told. */
  sealed interface Command permits Spawn {}

  /** Spawn what the node consists of, when it has what they need. */
  record Spawn(Consumer<ActorContext<Command>> actors) implements Command {}

  private Guardian() {}

  /** Spawns the joiner, then what it is told. */
  static Behavior<Command> create(NodeSettings settings, JoinView view) {
    return Behaviors.setup(
        context -> {
          context.spawn(
              Joiner.create(settings.cluster(), view),
              Joiner.NAME,
              DispatcherSelector.fromConfig(NodeSettings.CONTROL_DISPATCHER));
          return Behaviors.receive(Command.class)
              .onMessage(
                  Spawn.class,
                  spawn -> {
                    spawn.actors().accept(context);
                    return Behaviors.same();
                  })
              .build();
        });
  }
}
