package io.theseus.session;

import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.Progress;
import io.theseus.module.Revision;
import io.theseus.steps.Steps;
import org.jspecify.annotations.Nullable;

/**
 * The worker that moves a session's bytes by granting ranges; what an upgrade stops and respawns.
 *
 * <p>It hosts the {@link DataChannel} that is built in; {@link ModuleWorker} does the same for code
 * of modules. Its only input is where the transfer stands, its only output are grants to the
 * connection; so it can be stopped at any moment, and a successor with the next generation goes on
 * at the committed offset. What it granted and is not committed yet is forgotten with it. When its
 * channel throws, or returns a range that does not begin where it must, the worker fails and its
 * session decides.
 */
public final class DataChannelWorker extends AbstractBehavior<ModuleWorker.Command> {
  /**
   * Tells where the transfer stands.
   *
   * @param seekEpoch +1 for each seek; a new one voids what was granted
   * @param position committed offset in bytes
   * @param end end of the transfer, {@link Progress#UNKNOWN_END} until it is known
   */
  public record Advance(long seekEpoch, long position, long end) implements ModuleWorker.Command {}

  private final Granting granting;
  private final Bandwidth.@Nullable Portion portion;
  private @Nullable Advance last;

  /** A worker of the given generation that begins at an offset. */
  public static Behavior<Advance> create(
      SessionLink link,
      Direction direction,
      Revision revision,
      long generation,
      long seekEpoch,
      long position,
      Bandwidth.@Nullable Portion portion,
      Steps steps) {
    return Behaviors.<ModuleWorker.Command>setup(
            context ->
                new DataChannelWorker(
                    context,
                    portion,
                    new Granting(
                        link,
                        direction,
                        revision,
                        generation,
                        seekEpoch,
                        position,
                        context.getSelf().path().name(),
                        portion,
                        steps)))
        .narrow();
  }

  private DataChannelWorker(
      ActorContext<ModuleWorker.Command> context,
      Bandwidth.@Nullable Portion portion,
      Granting granting) {
    super(context);
    this.granting = granting;
    this.portion = portion;
    if (portion != null) {
      portion.onGiven(() -> context.getSelf().tell(ModuleWorker.Given.SOME));
    }
  }

  @Override
  public Receive<ModuleWorker.Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Advance.class, this::onAdvance)
        .onMessage(ModuleWorker.Given.class, given -> onGiven())
        .onSignal(PostStop.class, stopped -> onStopped())
        .build();
  }

  private Behavior<ModuleWorker.Command> onStopped() {
    if (portion != null) {
      portion.close();
    }
    return this;
  }

  private Behavior<ModuleWorker.Command> onGiven() {
    return last == null ? this : onAdvance(last);
  }

  private Behavior<ModuleWorker.Command> onAdvance(Advance advance) {
    last = advance;
    granting.advance(advance.seekEpoch(), advance.position(), advance.end());
    return this;
  }
}
