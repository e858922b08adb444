package io.theseus.session;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.module.Revision;
import io.theseus.steps.Steps;

/**
 * The worker that moves a session's bytes by granting ranges; what an upgrade stops and respawns.
 *
 * <p>It hosts the {@link DataChannel} of one module version. Its only input is where the transfer
 * stands, its only output are grants to the connection; so it can be stopped at any moment, and a
 * successor with the next generation goes on at the committed offset. What it granted and is not
 * committed yet is forgotten with it. When its channel throws, or returns a range that does not
 * begin where it must, the worker fails and its session decides.
 */
public final class DataChannelWorker extends AbstractBehavior<DataChannelWorker.Advance> {
  /** Grants reach at least this far past what is committed, so that the longest packet fits. */
  static final int AHEAD = 16 * 1024 * 1024;

  /**
   * Tells where the transfer stands.
   *
   * @param seekEpoch +1 for each seek; a new one voids what was granted
   * @param position committed offset in bytes
   * @param end end of the transfer, {@link Progress#UNKNOWN_END} until it is known
   */
  public record Advance(long seekEpoch, long position, long end) {}

  private final SessionLink link;
  private final Direction direction;
  private final DataChannel channel;
  private final long generation;
  private final String module;
  private final String name;
  private final Steps steps;
  private long seekEpoch;
  private long granted;

  /** A worker of the given generation that begins at an offset. */
  public static Behavior<Advance> create(
      SessionLink link,
      Direction direction,
      Revision revision,
      long generation,
      long seekEpoch,
      long position,
      Steps steps) {
    return Behaviors.setup(
        context ->
            new DataChannelWorker(
                context, link, direction, revision, generation, seekEpoch, position, steps));
  }

  private DataChannelWorker(
      ActorContext<Advance> context,
      SessionLink link,
      Direction direction,
      Revision revision,
      long generation,
      long seekEpoch,
      long position,
      Steps steps) {
    super(context);
    this.link = link;
    this.direction = direction;
    this.channel = revision.provider().open(direction);
    this.generation = generation;
    this.module = revision.module();
    this.name = context.getSelf().path().name();
    this.steps = steps;
    this.seekEpoch = seekEpoch;
    this.granted = position;
    steps.at("worker.started");
  }

  @Override
  public Receive<Advance> createReceive() {
    return newReceiveBuilder().onMessage(Advance.class, this::onAdvance).build();
  }

  private Behavior<Advance> onAdvance(Advance advance) {
    if (advance.seekEpoch() < seekEpoch) {
      return this;
    }
    if (advance.seekEpoch() > seekEpoch) {
      seekEpoch = advance.seekEpoch();
      granted = advance.position();
    }
    while (granted < advance.end() && granted - advance.position() < AHEAD) {
      Range range = channel.next(new Progress(direction, granted, advance.end()));
      check(range, advance.end());
      steps.at("worker.decided");
      link.grant(new Grant(range, generation, seekEpoch, name, module));
      granted = range.end();
      steps.at("worker.granted");
    }
    return this;
  }

  private void check(Range range, long end) {
    if (range.offset() != granted) {
      throw new IllegalStateException(
          module + ": range at " + range.offset() + " (expected: at " + granted + ")");
    }
    if (range.length() < 1 || range.length() > Range.MOST || range.end() > end) {
      throw new IllegalStateException(
          module
              + ": range of "
              + range.length()
              + " bytes (expected: 1 to "
              + Math.min(Range.MOST, end - granted)
              + ")");
    }
  }
}
