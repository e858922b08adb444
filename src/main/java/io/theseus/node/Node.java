package io.theseus.node;

import akka.actor.typed.ActorSystem;
import io.theseus.steps.Steps;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node.
 *
 * <p>What outlives an actor system (data directory, doors, uploads) is held here; what lives in one
 * is spawned by {@link Actors}, for every life of the actor system anew. Several nodes can live in
 * one process.
 */
public final class Node implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Node.class);
  private static final Duration AGAIN = Duration.ofSeconds(1);

  private final NodeSettings settings;
  private final Steps steps;
  private final DataDirectory directory;
  private final Instant startedAt = Instant.now();

  /** Starts the next life of the actor system; guards nothing else. */
  private final ScheduledExecutorService lives =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "theseus-node");
            thread.setDaemon(true);
            return thread;
          });

  private volatile Optional<Services> services = Optional.empty();
  private volatile Optional<Actors> actors = Optional.empty();
  private volatile boolean closing;

  private Node(NodeSettings settings, Steps steps, DataDirectory directory) {
    this.settings = settings;
    this.steps = steps;
    this.directory = directory;
  }

  /**
   * Starts a node; returns when clients are served, joined to a cluster or not.
   *
   * @throws StartException saying what is in the way; nothing is left running then
   */
  public static Node start(NodeSettings settings, Steps steps) throws StartException {
    Node node = new Node(settings, steps, DataDirectory.open(settings.dataDir(), settings.id()));
    try {
      node.open();
      return node;
    } catch (StartException | RuntimeException e) {
      node.close();
      throw e;
    }
  }

  private void open() throws StartException {
    Services opened = Services.open(settings, steps);
    services = Optional.of(opened);
    actors = Optional.of(Actors.start(settings, opened, this::onTerminated));
    opened.listen();
  }

  /** The actor system has ended; unless the node closes, the next one starts beside the doors. */
  private void onTerminated() {
    if (closing) {
      return;
    }
    services.ifPresent(Services::orphaned);
    log.warn("the actor system has ended (downed by the cluster); starting another one");
    later(Duration.ZERO);
  }

  private void later(Duration delay) {
    var unused = lives.schedule(this::nextLife, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void nextLife() {
    if (closing) {
      return;
    }
    try {
      actors = Optional.of(Actors.start(settings, services.orElseThrow(), this::onTerminated));
    } catch (StartException e) {
      log.error("the actor system can't start, trying again: {}", e.getMessage());
      later(AGAIN);
    }
  }

  public NodeSettings settings() {
    return settings;
  }

  /** This life's actor system. */
  public ActorSystem<?> system() {
    return actors.orElseThrow().system();
  }

  /** What joining waits for; empty when this node is in the cluster. */
  public Optional<String> waitsFor() {
    return actors.flatMap(each -> each.view().waitsFor());
  }

  public Instant startedAt() {
    return startedAt;
  }

  /** Leaves the cluster and ends all; sessions stay resumable. */
  @Override
  public void close() {
    closing = true;
    lives.shutdownNow();
    services.ifPresent(Services::stopListening);
    actors.ifPresent(Actors::stop);
    services.ifPresent(Services::close);
    directory.close();
  }
}
