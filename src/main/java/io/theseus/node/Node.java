package io.theseus.node;

import akka.actor.typed.ActorSystem;
import io.theseus.access.Identity;
import io.theseus.admin.NodeStatus;
import io.theseus.admin.Operations;
import io.theseus.admin.jmx.JmxDoor;
import io.theseus.admin.jmx.RunFile;
import io.theseus.backup.Backup;
import io.theseus.cli.Theseus;
import io.theseus.control.Control;
import io.theseus.module.Switchboard;
import io.theseus.names.Names;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.StoreUse;
import io.theseus.upgrade.NodeRevisions;
import io.theseus.upgrade.Upgrades;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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

  /** How long a start waits for code to be made ready; it goes on beyond. */
  private static final Duration STAGING = Duration.ofSeconds(5);

  private final NodeSettings settings;
  private final Steps steps;
  private final DataDirectory directory;
  private final Descriptors descriptors = Descriptors.ofProcess();
  private final Instant startedAt = Instant.now();
  private final long startNanos = System.nanoTime();

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
  private Optional<JmxDoor> door = Optional.empty();

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
    descriptors.requireEnough();
    Services opened = Services.open(settings, steps);
    services = Optional.of(opened);
    opened.watch();
    actors = Optional.of(Actors.start(settings, opened, this::onTerminated));
    boolean serves = isPublished(opened, settings.cluster().catchUp().plus(STAGING));
    if (serves) {
      opened.listen();
    }
    openStatus();
    if (!serves) {
      log.warn("the code in force is not ready here: no client is served until it is");
      listenLater(opened);
    }
  }

  private static boolean isPublished(Services opened, Duration patience) throws StartException {
    try {
      return opened.revisions().awaitPublished(patience);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted", e);
    }
  }

  /** Serves as soon as the code is there. */
  private void listenLater(Services opened) {
    Runnable next =
        () -> {
          try {
            if (!closing && isPublished(opened, Duration.ZERO)) {
              opened.listen();
              writeRunFile();
              log.info("clients are served");
            } else if (!closing) {
              listenLater(opened);
            }
          } catch (StartException | IOException e) {
            log.error("clients can't be served, trying again: {}", e.getMessage());
            listenLater(opened);
          }
        };
    var unused = lives.schedule(next, AGAIN.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Lets `theseus status` in, last: who is found runs. */
  private void openStatus() throws StartException {
    try {
      door =
          Optional.of(
              JmxDoor.open(settings.id(), this::status, services.orElseThrow().operations()));
      writeRunFile();
    } catch (IOException e) {
      throw new StartException("The node can't offer its status: " + e.getMessage(), e);
    }
  }

  private void writeRunFile() throws IOException {
    JmxDoor opened = door.orElseThrow();
    new RunFile(
            settings.id(),
            ProcessHandle.current().pid(),
            version(),
            settings.dataDir().toString(),
            opened.url(),
            opened.secret(),
            opened.objectName(),
            packetsAddress().orElse(""),
            startedAt.toString(),
            settings.modules().labKey().map(Path::toString).orElse(""))
        .write(RunFile.in(settings.dataDir()));
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

  /** What the cluster agreed on about code. */
  public Upgrades upgrades() {
    return services.orElseThrow().upgrades();
  }

  /** The code that this node knows. */
  public NodeRevisions revisions() {
    return services.orElseThrow().revisions();
  }

  /** Which code is in force on this node. */
  public Switchboard switchboard() {
    return services.orElseThrow().switchboard();
  }

  /** The sessions of this node. */
  Control control() {
    return services.orElseThrow().control();
  }

  /** What an operator can do here. */
  Operations operations() {
    return services.orElseThrow().operations();
  }

  /** The files. */
  FileStore store() {
    return services.orElseThrow().store();
  }

  /** The backups that this node knows and can reach; none where it is alone. */
  List<Backup> backups() {
    return services.orElseThrow().backups();
  }

  /** The names of all nodes. */
  Names names() {
    return services.orElseThrow().names();
  }

  /** This life's actor system. */
  public ActorSystem<?> system() {
    return actors.orElseThrow().system();
  }

  /** What joining waits for; empty when this node is in the cluster. */
  public Optional<String> waitsFor() {
    return actors.flatMap(each -> each.view().waitsFor());
  }

  /** The address that clients reach; empty while no door is open. */
  public Optional<String> packetsAddress() {
    return services.map(Services::packetsAddress).filter(address -> !address.isEmpty());
  }

  /** The address that clients reach over TLS; empty where none is open. */
  public Optional<String> tlsAddress() {
    return services.flatMap(Services::tlsAddress);
  }

  /** The version of this program. */
  static String version() {
    return Theseus.version();
  }

  /** This node as it is now; from any thread. */
  public NodeStatus status() {
    NodeStatus.Cluster cluster =
        actors
            .map(Actors::cluster)
            .orElseGet(() -> new NodeStatus.Cluster("", "", "starting", List.of()));
    Map<String, String> addresses = new TreeMap<>();
    packetsAddress().ifPresent(address -> addresses.put("packets", address));
    tlsAddress().ifPresent(address -> addresses.put("packets-tls", address));
    addresses.put("remoting", cluster.self());
    Map<String, Long> sessions = sessions();
    long free = freeBytes();
    NodeStatus.Quota quota = services.map(Node::quota).orElse(NodeStatus.Quota.NONE);
    NodeStatus.Backups copies = services.map(Services::copies).orElse(NodeStatus.Backups.NONE);
    NodeStatus.Files files = services.map(Services::files).orElse(NodeStatus.Files.NONE);
    return new NodeStatus(
        settings.id(),
        version(),
        ProcessHandle.current().pid(),
        startedAt.truncatedTo(ChronoUnit.SECONDS).toString(),
        (System.nanoTime() - startNanos) / 1_000_000_000,
        addresses,
        settings.roles().stream().map(role -> role.name().toLowerCase(Locale.ROOT)).toList(),
        settings.dataDir().toString(),
        settings.store().root().toString(),
        free,
        quota,
        sessions,
        services.map(Services::counters).orElse(Map.of()),
        services.map(Services::errors).orElse(Map.of()),
        services.map(Services::failures).orElse(Map.of()),
        cluster,
        services.map(Services::code).orElse(NodeStatus.Code.NONE),
        copies,
        files,
        certificates(),
        parts(cluster, !sessions.isEmpty(), free, quota, copies, files));
  }

  private List<NodeStatus.Part> parts(
      NodeStatus.Cluster cluster,
      boolean answers,
      long free,
      NodeStatus.Quota quota,
      NodeStatus.Backups copies,
      NodeStatus.Files files) {
    List<NodeStatus.Part> parts = new ArrayList<>();
    parts.add(Health.cluster(settings.cluster(), cluster));
    parts.add(Health.control(answers));
    parts.add(Health.code(services.flatMap(each -> each.upgrades().view())));
    if (services.filter(each -> !each.control().isAccepting()).isPresent()) {
      parts.add(Health.notAccepting());
    }
    parts.add(Health.disk(settings.store(), free, services.flatMap(Services::storeFailure)));
    parts.add(Health.descriptors(descriptors, Descriptors.open()));
    if (quota.isLimited()) {
      parts.add(Health.quota(quota));
    }
    if (copies.factor() > 0) {
      parts.add(Health.backups(copies));
    }
    parts.add(Health.files(files));
    parts.add(Health.journal(services.map(Services::journal)));
    services
        .flatMap(Services::certificate)
        .ifPresent(
            each ->
                parts.add(
                    Health.certificate(
                        "certificate",
                        each.get().identity().expires(),
                        each.problem(),
                        Instant.now())));
    services
        .flatMap(Services::remotingKeys)
        .ifPresent(
            each ->
                parts.add(
                    Health.certificate(
                        "cluster-certificate",
                        each.get().identity().expires(),
                        each.problem(),
                        Instant.now())));
    services
        .flatMap(Services::tokens)
        .ifPresent(each -> parts.add(Health.tokens(each.get().size(), each.problem())));
    return parts;
  }

  private Map<String, String> certificates() {
    Map<String, String> all = new TreeMap<>();
    services
        .flatMap(Services::certificate)
        .ifPresent(each -> all.put("packets", Identity.text(each.get().identity().expires())));
    services
        .flatMap(Services::remotingKeys)
        .ifPresent(each -> all.put("cluster", Identity.text(each.get().identity().expires())));
    return all;
  }

  /** How many sessions there are in each state; none at all where control does not answer. */
  private Map<String, Long> sessions() {
    return services
        .flatMap(Services::sessions)
        .map(counts -> Map.of("live", (long) counts.live(), "kept", (long) counts.kept()))
        .orElse(Map.of());
  }

  private static NodeStatus.Quota quota(Services services) {
    StoreUse use = services.storeUse();
    return new NodeStatus.Quota(use.usedBytes(), use.maxBytes(), use.usedFiles(), use.maxFiles());
  }

  private long freeBytes() {
    Path root = settings.store().root();
    return (Files.exists(root) ? root : directory.path()).toFile().getUsableSpace();
  }

  /** Leaves the cluster and ends all; sessions stay resumable. */
  @Override
  public void close() {
    closing = true;
    lives.shutdownNow();
    door.ifPresent(
        opened -> {
          opened.close();
          try {
            Files.deleteIfExists(RunFile.in(settings.dataDir()));
          } catch (IOException e) {
            log.debug("the run file could not be removed", e);
          }
        });
    services.ifPresent(Services::stopListening);
    actors.ifPresent(Actors::stop);
    services.ifPresent(Services::close);
    directory.close();
  }
}
