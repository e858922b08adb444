package io.theseus.node;

import akka.actor.typed.ActorSystem;
import akka.dispatch.Dispatcher;
import akka.dispatch.Dispatchers;
import akka.dispatch.MessageDispatcher;
import akka.dispatch.MessageDispatcherConfigurator;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import scala.jdk.javaapi.DurationConverters;

/**
 * An Akka dispatcher that is one thread of the packets' event loops: an actor on it and the
 * connections of that loop reach each other without waking a thread.
 *
 * <p>Nothing on it may wait or compute for long: all connections of the loop would stand still.
 */
final class LoopDispatcher extends MessageDispatcherConfigurator {
  /** Messages that an actor takes in a row; then the connections have their turn. */
  private static final int THROUGHPUT = 8;

  private final MessageDispatcher dispatcher;

  private LoopDispatcher(Dispatchers dispatchers, String id, Executor loop) {
    super(
        dispatchers.config(id, dispatchers.defaultDispatcherConfig()), dispatchers.prerequisites());
    dispatcher =
        new Dispatcher(
            this,
            id,
            THROUGHPUT,
            scala.concurrent.duration.Duration.Zero(),
            (name, threads) -> () -> new Borrowed(loop),
            DurationConverters.toScala(Duration.ofSeconds(1)));
  }

  /** The name of the dispatcher of a loop. */
  static String id(int loop) {
    return "theseus.dispatchers.loop-" + loop;
  }

  /** Makes the dispatchers of all loops known to an actor system that has just begun. */
  static void register(ActorSystem<?> system, List<Executor> loops) {
    Dispatchers dispatchers = system.classicSystem().dispatchers();
    for (int i = 0; i < loops.size(); i++) {
      boolean unused =
          dispatchers.registerConfigurator(
              id(i), new LoopDispatcher(dispatchers, id(i), loops.get(i)));
    }
  }

  @Override
  public MessageDispatcher dispatcher() {
    return dispatcher;
  }

  /** A loop as Akka wants it: what shuts an executor down that is idle leaves this one alone. */
  private static final class Borrowed extends AbstractExecutorService {
    private final Executor loop;
    private volatile boolean over;

    Borrowed(Executor loop) {
      this.loop = loop;
    }

    @Override
    public void execute(Runnable task) {
      loop.execute(task);
    }

    @Override
    public void shutdown() {
      over = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
      over = true;
      return List.of();
    }

    @Override
    public boolean isShutdown() {
      return over;
    }

    @Override
    public boolean isTerminated() {
      return over;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
      return over;
    }
  }
}
