package io.theseus.node;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.AskPattern;
import io.theseus.access.Access;
import io.theseus.access.Identity;
import io.theseus.access.Tokens;
import io.theseus.access.Watched;
import io.theseus.admin.NodeStatus;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.backup.Backup;
import io.theseus.backup.BackupEnvironment;
import io.theseus.backup.BackupNode;
import io.theseus.backup.BackupSettings;
import io.theseus.backup.Draining;
import io.theseus.backup.Remote;
import io.theseus.backup.Replicas;
import io.theseus.backup.Replicator;
import io.theseus.control.Control;
import io.theseus.control.ControlActor;
import io.theseus.control.Lane;
import io.theseus.control.Transfers;
import io.theseus.journal.JournalDatabase;
import io.theseus.journal.JournalStatus;
import io.theseus.journal.OpenSession;
import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.ModuleKeys;
import io.theseus.module.ModuleStore;
import io.theseus.module.Revision;
import io.theseus.module.RevisionStore;
import io.theseus.module.Revisions;
import io.theseus.module.Switchboard;
import io.theseus.names.Names;
import io.theseus.names.NamesActor;
import io.theseus.names.NamesSettings;
import io.theseus.names.Place;
import io.theseus.net.Door;
import io.theseus.net.Loops;
import io.theseus.net.NetSettings;
import io.theseus.net.ServerTls;
import io.theseus.net.TlsSettings;
import io.theseus.peer.PeerPort;
import io.theseus.peer.PeerSettings;
import io.theseus.repair.RefillStatus;
import io.theseus.repair.Repair;
import io.theseus.repair.RepairActor;
import io.theseus.repair.RepairSettings;
import io.theseus.repair.ScrubStatus;
import io.theseus.session.Bandwidth;
import io.theseus.session.CopyTargets;
import io.theseus.session.Counters;
import io.theseus.session.FollowPractice;
import io.theseus.session.SessionActor;
import io.theseus.session.SessionEnvironment;
import io.theseus.session.SessionSettings;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.LiveSource;
import io.theseus.store.LiveSources;
import io.theseus.store.SetAside;
import io.theseus.store.StoreSettings;
import io.theseus.store.StoreUse;
import io.theseus.store.VersionClock;
import io.theseus.upgrade.ActRequest;
import io.theseus.upgrade.Course;
import io.theseus.upgrade.NodeRevisions;
import io.theseus.upgrade.UpgradeSettings;
import io.theseus.upgrade.Upgrades;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What of a node outlives an actor system: files, transfers, connections; and control, which is put
 * behind them in each life anew.
 */
final class Services implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Services.class);
  private static final long WATCH_SECONDS = 2;
  private static final long DISK_STOP_SECONDS = 10;
  private static final long FORGET_MINUTES = 60;
  private static final int MOST_NAMED = 10;
  private static final Duration ASK = Duration.ofSeconds(2);

  /** Together less than what coordination leaves to a node for making a revision ready. */
  private static final Duration SELF_TEST = Duration.ofSeconds(30);

  private static final Duration WARM_UP = Duration.ofSeconds(5);

  private final NodeSettings settings;
  private final Steps steps;
  private final ExecutorService disk;
  private final FileStore store;
  private final Names names;
  private final Control control;
  private final SessionEnvironment environment;
  private final Transfers transfers;
  private final Loops loops;
  private final Counters counters = new Counters();
  private final Switchboard switchboard = new Switchboard();
  private final ScheduledExecutorService watching;
  private final @Nullable Watched<ServerTls> certificate;
  private final @Nullable Watched<RemotingTls.Keys> remotingKeys;
  private final @Nullable Watched<Tokens> tokens;
  private final ModuleKeys moduleKeys;
  private final NodeRevisions revisions;
  private final Upgrades upgrades;
  private final Fellows fellows;
  private final ClusterSessions clusterSessions;
  private final @Nullable Copying copying;
  private final Repair repair;
  private volatile @Nullable Door door;
  private volatile @Nullable ActorSystem<?> system;
  private volatile @Nullable ActorRef<ControlActor.Command> actor;
  private boolean taken;

  /** Of the journal that was opened last: what is copied here, and whose commit was decided. */
  private Set<UUID> copied = Set.of();

  private Set<UUID> committing = Set.of();

  /** What a switch means for sessions that are there; those to come look for themselves. */
  private final class AllSessions implements NodeRevisions.Sessions {
    @Override
    public void follow() {
      tell(new ControlActor.FollowSwitch());
      Copying between = copying;
      if (between != null) {
        between.replicas().follow();
      }
    }

    @Override
    public void hold(boolean held) {
      control.hold(held, settings.session().mostWaiting());
      ActorSystem<?> running = system;
      if (running != null) {
        SessionActor.Command what =
            held ? new SessionActor.Hold(running.ignoreRef()) : new SessionActor.Resume();
        tell(new ControlActor.Tell(Optional.empty(), what));
      }
    }

    @Override
    public void practise(Revision next) throws ModuleException, InterruptedException {
      var unused = FollowPractice.run(environment, next);
    }

    /** Where there is no actor system, the next one's sessions look for themselves. */
    private void tell(ControlActor.Command command) {
      ActorRef<ControlActor.Command> told = actor;
      if (told != null) {
        told.tell(command);
      }
    }
  }

  /** Opens the files. */
  static Services open(NodeSettings settings, Steps steps) throws StartException {
    AtomicInteger number = new AtomicInteger();
    ThreadPoolExecutor disk =
        new ThreadPoolExecutor(
            settings.threads().disk(),
            settings.threads().disk(),
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, settings.id() + "-disk-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    // all of them now: a transfer must not hang on a thread that can't be had
    disk.prestartAllCoreThreads();
    try {
      return new Services(
          settings,
          steps,
          disk,
          certificate(settings).orElse(null),
          remotingKeys(settings).orElse(null),
          tokens(settings).orElse(null),
          moduleKeys(settings));
    } catch (IOException e) {
      disk.shutdown();
      throw new StartException("The node's files can't be used: " + e.getMessage(), e);
    } catch (StartException e) {
      disk.shutdown();
      throw e;
    }
  }

  private static ModuleKeys moduleKeys(NodeSettings settings) throws StartException {
    try {
      return ModuleKeys.forNode(settings.modules().keys(), settings.modules().labKey());
    } catch (NoSuchFileException e) {
      throw new StartException(
          "theseus.modules.keys: "
              + Texts.quote(String.valueOf(e.getMessage()))
              + " (expected: a file)",
          e);
    } catch (IOException | ModuleException e) {
      throw new StartException("theseus.modules.keys: " + e.getMessage(), e);
    }
  }

  private static Optional<Watched<RemotingTls.Keys>> remotingKeys(NodeSettings settings)
      throws StartException {
    if (settings.cluster().tls().isEmpty()) {
      return Optional.empty();
    }
    NodeSettings.ClusterTls tls = settings.cluster().tls().get();
    try {
      return Optional.of(
          Identity.watch(
              "the certificate of theseus.cluster.tls",
              tls.certificate(),
              tls.key(),
              Optional.of(tls.authorities()),
              Clock.systemUTC(),
              RemotingTls.Keys::of));
    } catch (IOException e) {
      throw new StartException("theseus.cluster.tls: " + e.getMessage(), e);
    }
  }

  private static Optional<Watched<Tokens>> tokens(NodeSettings settings) throws StartException {
    if (settings.access().tokens().isEmpty()) {
      return Optional.empty();
    }
    Path file = settings.access().tokens().get();
    try {
      return Optional.of(
          new Watched<>(
              "the file of theseus.access.tokens",
              List.of(file),
              contents -> Tokens.read(file, contents.get(0))));
    } catch (IOException e) {
      throw new StartException("theseus.access.tokens: " + e.getMessage(), e);
    }
  }

  private static Optional<Watched<ServerTls>> certificate(NodeSettings settings)
      throws StartException {
    if (settings.packets().tls().isEmpty()) {
      return Optional.empty();
    }
    NodeSettings.Tls tls = settings.packets().tls().get();
    try {
      return Optional.of(
          Identity.watch(
              "the certificate of theseus.packets.tls",
              tls.certificate(),
              tls.key(),
              Optional.empty(),
              Clock.systemUTC(),
              ServerTls::of));
    } catch (IOException e) {
      throw new StartException("theseus.packets.tls: " + e.getMessage(), e);
    }
  }

  /** Files that a person may change while the node runs. */
  private void checkFiles() {
    certificate().ifPresent(Watched::check);
    remotingKeys().ifPresent(Watched::check);
    tokens().ifPresent(Watched::check);
  }

  private Services(
      NodeSettings settings,
      Steps steps,
      ExecutorService disk,
      @Nullable Watched<ServerTls> certificate,
      @Nullable Watched<RemotingTls.Keys> remotingKeys,
      @Nullable Watched<Tokens> tokens,
      ModuleKeys moduleKeys)
      throws IOException, StartException {
    this.settings = settings;
    this.steps = steps;
    this.disk = disk;
    this.certificate = certificate;
    this.remotingKeys = remotingKeys;
    this.tokens = tokens;
    this.moduleKeys = moduleKeys;
    this.watching =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, settings.id() + "-files");
              thread.setDaemon(true);
              return thread;
            });
    this.store =
        FileStore.open(
            StoreSettings.of(
                    settings.store().root(),
                    settings.dataDir().resolve("records"),
                    settings.store().restBytes(),
                    settings.session().keep())
                .limited(settings.store().maxBytes(), settings.store().maxFiles()),
            live(settings),
            disk,
            Clock.systemUTC(),
            steps);
    this.loops =
        new Loops(
            settings.threads().eventLoops(),
            settings.threads().eventLoopNice(),
            settings.id(),
            disk);
    List<Executor> disks = loops.disks();
    this.transfers =
        new Transfers(
            IntStream.range(0, disks.size())
                .mapToObj(
                    loop ->
                        new Lane(
                            LoopDispatcher.id(loop),
                            disks.get(loop),
                            (task, delay) -> loops.later(loop, task, delay)))
                .toList());
    this.revisions =
        new NodeRevisions(
            settings.id(),
            moduleKeys,
            ModuleStore.open(settings.dataDir().resolve("modules").resolve("jars")),
            RevisionStore.open(settings.dataDir().resolve("modules").resolve("revisions")),
            new Revisions.Limits(
                settings.modules().threads(),
                settings.modules().callDeadline(),
                SELF_TEST,
                WARM_UP),
            switchboard,
            new AllSessions(),
            settings.modules().mostMisbehavingPercent(),
            settings.session().longestPause(),
            Clock.systemUTC());
    this.upgrades =
        new Upgrades(
            new UpgradeSettings(
                settings.id(),
                settings.cluster().nodes(),
                settings.cluster().catchUp(),
                settings.session().longestPause()),
            settings.dataDir(),
            revisions,
            steps,
            NodeSettings.ID_ROLE,
            NodeSettings.UPGRADE_DISPATCHER,
            ModuleArchive.MOST_BYTES);
    String elsewhere = "`theseus ls` shows what node " + settings.id() + " has";
    this.names =
        new Names(
            new NamesSettings(
                settings.id(),
                settings.cluster().nodes(),
                settings.cluster().rememberDeleted(),
                settings.dataDir().resolve("names")),
            store,
            new VersionClock(settings.id(), Clock.systemUTC()),
            disk,
            steps,
            () -> new Place(settings.id(), packetsAddress(), tlsAddress().orElse("")));
    this.control = new Control(names, elsewhere, transfers);
    names.serve(
        new Names.Sessions() {
          @Override
          public boolean has(UUID session) {
            return control.has(session);
          }

          @Override
          public CompletionStage<?> fence(UUID session) {
            return control.fence(session);
          }

          @Override
          public boolean isLeaving() {
            Copying between = copying;
            return between != null && between.draining().isLeaving();
          }
        });
    this.fellows = new Fellows(settings.cluster().nodes());
    this.clusterSessions = new ClusterSessions(settings.id(), fellows, control);
    this.copying = copying();
    this.repair = upkeep();
    this.environment =
        new SessionEnvironment(
            settings.id(),
            elsewhere,
            store,
            disk,
            switchboard,
            revisions::heard,
            bandwidth(settings.session().bandwidth()),
            names,
            settings.backup().factor() > 0 && copying != null ? copying.replicas() : null,
            transfers::live,
            new SessionSettings(
                settings.session().keep(),
                settings.packets().idle(),
                settings.session().markBytes(),
                settings.session().markInterval()),
            counters,
            steps);
  }

  /** What goes between this node and others beside the actors. */
  private record Copying(PeerPort port, Replicas replicas, Draining draining) {}

  /** Null for a node that is alone. */
  private @Nullable Copying copying() throws IOException, StartException {
    if (settings.cluster().nodes().size() < 2) {
      return null;
    }
    NodeSettings.Backup backup = settings.backup();
    Replicas replicas =
        new Replicas(
            new BackupSettings(
                settings.id(),
                backup.rack(),
                backup.factor(),
                backup.whenMissing() == NodeSettings.Backup.WhenMissing.WAIT,
                backup.registration()),
            new CopyTargets(switchboard, revisions::heard),
            this::fate);
    Draining draining = Draining.in(settings.dataDir().resolve("backup"));
    PeerPort port = peers(replicas);
    replicas.listenAt(port);
    return new Copying(port, replicas, draining);
  }

  private Repair upkeep() {
    NodeSettings.Repair wanted = settings.repair();
    Copying between = copying;
    return new Repair(
        new RepairSettings(
            settings.id(),
            settings.backup().factor(),
            wanted.after(),
            wanted.copyBandwidth(),
            wanted.scrubEvery(),
            wanted.scrubBandwidth(),
            settings.dataDir().resolve("repair")),
        store,
        names,
        between == null ? null : between.replicas(),
        between == null ? null : between.draining(),
        this::bring,
        Clock.systemUTC());
  }

  /** Asks a node to bring a file to another one. */
  private CompletionStage<io.theseus.repair.Remote.Brought> bring(
      String node, String name, String version, String to) {
    try {
      return fellows
          .<RepairActor.Command, io.theseus.repair.Remote.Brought>ask(
              node,
              RepairActor.NAME,
              replyTo -> new io.theseus.repair.Remote.Bring(name, version, to, replyTo))
          .orElseGet(() -> CompletableFuture.failedFuture(new IOException(Fellows.NO_MEMBER)));
    } catch (OperationException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** What becomes of a copy of a session that is not received here now. */
  private CompletionStage<Remote.Fate> fate(UUID session, String name) {
    if (transfers.has(session)) {
      return CompletableFuture.completedStage(Remote.Fate.WANTED);
    }
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return store.completed(session, FileName.parse(name)).isPresent()
                ? Remote.Fate.DONE
                : Remote.Fate.UNKNOWN;
          } catch (ProtocolException e) {
            return Remote.Fate.UNKNOWN;
          }
        },
        disk);
  }

  private PeerPort peers(Replicas replicas) throws StartException {
    String host = settings.cluster().host();
    int port = settings.backup().port();
    Watched<RemotingTls.Keys> keys = remotingKeys;
    try {
      return PeerPort.open(
          new PeerSettings(
              settings.id(),
              settings.cluster().nodes(),
              host,
              port,
              settings.backup().advertise(),
              settings.backup().mostHeldBytes()),
          replicas::source,
          disk,
          keys == null
              ? null
              : new RemotingTls(keys, settings.cluster().tls().orElseThrow().hosts()));
    } catch (IOException | RuntimeException e) {
      throw PortInUse.isCause(e)
          ? new StartException(PortInUse.message(host, port, "theseus.peers.port"), e)
          : new StartException(
              "Other nodes can't be served at "
                  + NodeSettings.address(host, port)
                  + ": "
                  + e.getMessage(),
              e);
    }
  }

  private @Nullable Bandwidth bandwidth(long bytesPerSecond) {
    return bytesPerSecond == 0
        ? null
        : new Bandwidth(
            bytesPerSecond,
            switchboard,
            revisions::heard,
            (time, task) -> {
              var unused = watching.schedule(task, time.toNanos(), TimeUnit.NANOSECONDS);
            },
            System::nanoTime);
  }

  private static LiveSources live(NodeSettings settings) throws IOException {
    Map<FileName, LiveSource> sources = new HashMap<>();
    settings
        .live()
        .forEach(
            (name, source) ->
                sources.put(
                    name,
                    source instanceof NodeSettings.LiveSource.Fifo fifo
                        ? new LiveSource.Fifo(fifo.path(), fifo.spoolBytes())
                        : command((NodeSettings.LiveSource.Command) source)));
    return LiveSources.open(
        sources, LiveSources.DEFAULT_WINDOW_BYTES, settings.dataDir().resolve("spool"));
  }

  private static LiveSource.Command command(NodeSettings.LiveSource.Command source) {
    return new LiveSource.Command(source.arguments(), source.spoolBytes());
  }

  /**
   * Opens the journal of an actor system that has just started.
   *
   * @throws StartException naming what is wrong with it
   */
  Set<UUID> openJournal(ActorSystem<?> system) throws StartException {
    Set<UUID> open;
    try {
      List<OpenSession> all = JournalDatabase.get(system).openSessions();
      open = sessions(all, SessionActor::sessionOf);
      copied = sessions(all, BackupNode::sessionOf);
      committing =
          sessions(
              all.stream().filter(SessionActor::isCommitting).toList(), SessionActor::sessionOf);
    } catch (RuntimeException e) {
      throw new StartException("The journal can't be opened: " + e.getMessage(), e);
    }
    if (!taken) {
      // only before anything was accepted: later there are parts without marks that live
      try {
        store.removeLeftovers(
            Stream.concat(open.stream(), copied.stream()).collect(Collectors.toSet()));
      } catch (IOException e) {
        throw new StartException("Leftovers can't be removed: " + e.getMessage(), e);
      }
      taken = true;
    }
    this.system = system;
    return open;
  }

  private static Set<UUID> sessions(List<OpenSession> open, Function<String, Optional<UUID>> kind) {
    return open.stream()
        .map(OpenSession::persistenceId)
        .flatMap(id -> kind.apply(id).stream())
        .collect(Collectors.toUnmodifiableSet());
  }

  /** The journal of this life; null before the first. */
  @Nullable JournalStatus journal() {
    ActorSystem<?> running = system;
    return running == null ? null : JournalDatabase.get(running).status();
  }

  /** What was done since the start; connections that are open and the journal's syncs, too. */
  Map<String, Long> counters() {
    Map<String, Long> values = new TreeMap<>(counters.values());
    Door listening = door;
    values.put("connections-open", listening == null ? 0L : listening.callers().open());
    values.put("connections-refused", listening == null ? 0L : listening.callers().refused());
    values.put("buffer-bytes", Door.bufferBytes());
    JournalStatus journal = journal();
    values.put("journal-syncs", journal == null ? 0 : journal.batches());
    Copying between = copying;
    if (between != null) {
      Replicas replicas = between.replicas();
      values.put("backups", (long) replicas.known().size());
      values.put("short-of-copies", replicas.under());
      values.put("copied-bytes", between.port().copiedBytes());
      values.put("held-bytes", between.port().heldBytes());
      RefillStatus refill = repair.refill();
      values.put("files-short-of-copies", refill.shortFiles());
      values.put("files-copied", refill.copiedFiles());
      values.put("files-copied-bytes", refill.copiedBytes());
    }
    values.put("files-rotten", (long) repair.rotten().size());
    return values;
  }

  /** ERRORs that were sent, by code. */
  Map<String, Long> errors() {
    return counters.errors();
  }

  /** GETs and PUTs that failed, by code. */
  Map<String, Long> failures() {
    return counters.failures();
  }

  /** What the files take of what they may take. */
  StoreUse storeUse() {
    return store.use();
  }

  /** Why the files take no more writes; empty where they do. */
  Optional<String> storeFailure() {
    return store.failure().map(failure -> String.valueOf(failure.getMessage()));
  }

  /** How many sessions there are; empty where control does not answer in time. */
  Optional<ControlActor.Counts> sessions() {
    ActorSystem<?> running = system;
    ActorRef<ControlActor.Command> asked = actor;
    if (running == null || asked == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          AskPattern.<ControlActor.Command, ControlActor.Counts>ask(
                  asked, ControlActor.Count::new, ASK, running.scheduler())
              .toCompletableFuture()
              // the ask's own timeout ends with the actor system that keeps its time
              .get(2 * ASK.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } catch (ExecutionException | TimeoutException e) {
      return Optional.empty();
    }
  }

  /** Spawns control in the guardian of an actor system, and puts it behind the doors. */
  void spawn(ActorContext<?> context, Set<UUID> open) {
    control.expect();
    ActorRef<ControlActor.Command> spawned =
        context.spawn(
            ControlActor.create(environment, transfers, open, committing),
            "control",
            DispatcherSelector.fromConfig(NodeSettings.CONTROL_DISPATCHER));
    actor = spawned;
    spawned.tell(new ControlActor.FollowSwitch()); // one meanwhile would have been told to nobody
    upgrades.spawn(context);
    fellows.live(context.getSystem());
    clusterSessions.spawn(context);
    if (!names.isAlone()) {
      context.spawn(
          NamesActor.create(names),
          "names",
          DispatcherSelector.fromConfig(NodeSettings.BACKUP_DISPATCHER));
    }
    context.spawn(
        RepairActor.create(repair),
        RepairActor.NAME,
        DispatcherSelector.fromConfig(NodeSettings.BACKUP_DISPATCHER));
    spawnCopying(context);
  }

  private void spawnCopying(ActorContext<?> context) {
    Copying between = copying;
    if (between == null) {
      return;
    }
    DispatcherSelector dispatcher = DispatcherSelector.fromConfig(NodeSettings.BACKUP_DISPATCHER);
    if (settings.roles().contains(NodeSettings.Role.BACKUP)) {
      BackupEnvironment kept =
          new BackupEnvironment(
              settings.id(),
              settings.backup().rack(),
              store,
              disk,
              between.draining(),
              repair::left,
              between.port(),
              settings.session().keep(),
              steps);
      context.spawn(BackupNode.create(kept, copied), BackupNode.NAME, dispatcher);
    }
    context.spawn(Replicator.create(between.replicas()), Replicator.NAME, dispatcher);
  }

  /** The actor system has ended: commands are refused until the next one is there. */
  void orphaned() {
    actor = null;
    control.orphaned();
    names.orphaned();
    Copying between = copying;
    if (between != null) {
      between.replicas().orphaned();
    }
  }

  /** The code in force, for status. */
  NodeStatus.Code code() {
    return upgrades
        .view()
        .map(
            view ->
                new NodeStatus.Code(
                    view.serving().map(Course::toString).orElse(""),
                    view.running().map(ActRequest::toString).orElse(""),
                    view.serving().filter(Course::paused).isPresent(),
                    view.coordinates(),
                    view.standing(),
                    transfers.behind(switchboard.generation())))
        .orElse(NodeStatus.Code.NONE);
  }

  /** The code that this node knows, and serves by. */
  NodeRevisions revisions() {
    return revisions;
  }

  /** What an operator can do here, to the whole cluster. */
  Operations operations() {
    return new ClusterOperations(
        revisions,
        upgrades,
        clusterSessions,
        new ClusterBackups(settings.id(), fellows, copying == null ? null : copying.replicas()),
        new ClusterRepair(fellows),
        upgrades::missing,
        settings.modules().watch(),
        Clock.systemUTC());
  }

  /** What the cluster agreed on about code. */
  Upgrades upgrades() {
    return upgrades;
  }

  /** Copies on other nodes, for status. */
  NodeStatus.Backups copies() {
    Copying between = copying;
    return between == null
        ? NodeStatus.Backups.NONE
        : new NodeStatus.Backups(
            settings.backup().factor(),
            between.replicas().known().size(),
            between.replicas().under());
  }

  /** How the files do, for status. */
  NodeStatus.Files files() {
    RefillStatus refill = repair.refill();
    ScrubStatus scrub = repair.scrub();
    List<FileName> rotten = repair.rotten();
    SetAside aside = store.setAside();
    return new NodeStatus.Files(
        refill.running(),
        refill.looked(),
        refill.shortFiles(),
        refill.copiedFiles(),
        refill.copiedBytes(),
        repair.left(),
        refill.waitsFor(),
        scrub.running(),
        scrub.files(),
        scrub.totalFiles(),
        repair.lastScrub().map(Instant::toString).orElse(""),
        rotten.size(),
        rotten.stream().limit(MOST_NAMED).map(FileName::value).toList(),
        aside.files(),
        aside.where().toString());
  }

  /** The files. */
  FileStore store() {
    return store;
  }

  /** The backups that this node knows and can reach; none where it is alone. */
  List<Backup> backups() {
    Copying between = copying;
    return between == null ? List.of() : between.replicas().known();
  }

  /** The names of all nodes. */
  Names names() {
    return names;
  }

  /** The sessions, whichever life of the actor system serves them. */
  Control control() {
    return control;
  }

  /** Which code is in force. */
  Switchboard switchboard() {
    return switchboard;
  }

  Steps steps() {
    return steps;
  }

  /** The threads that sessions live on, for the dispatchers of an actor system. */
  List<Executor> loops() {
    return loops.executors();
  }

  /** Looks, from now on, for files that were changed and for code that hangs; once. */
  @SuppressWarnings("FutureReturnValueIgnored") // tasks that end with their thread
  void watch() {
    watching.scheduleWithFixedDelay(
        this::checkFiles, WATCH_SECONDS, WATCH_SECONDS, TimeUnit.SECONDS);
    watching.scheduleWithFixedDelay(
        () -> disk.execute(names::forgetDeleted), 1, FORGET_MINUTES, TimeUnit.MINUTES);
    watching.scheduleWithFixedDelay(
        () -> disk.execute(names::rememberMeeting), 1, 1, TimeUnit.MINUTES);
    repair.start();
    long often = Math.max(1, settings.modules().callDeadline().toMillis() / 4);
    watching.scheduleWithFixedDelay(revisions::check, often, often, TimeUnit.MILLISECONDS);
  }

  /** Listens for clients. */
  void listen() throws StartException {
    NodeSettings.Packets packets = settings.packets();
    int most = Descriptors.ofProcess().mostConnections(packets.maxConnections());
    try {
      door =
          Door.open(
              new NetSettings(
                  packets.host(),
                  packets.port(),
                  packets.advertise(),
                  packets.idle(),
                  packets.maxDataBytes(),
                  packets.putWindowBytes(),
                  packets.maxGetWindowBytes(),
                  packets.checkpointDelay(),
                  settings.session().keep(),
                  most,
                  most == packets.maxConnections()
                      ? "theseus.packets.max-connections"
                      : "the limit of open files",
                  packets.maxConnectionsPerSource(),
                  settings.access().anonymousAt(packets.host())),
              loops,
              control,
              new Access(tokens, Clock.systemUTC(), System::nanoTime),
              steps,
              counters);
    } catch (IOException | RuntimeException e) {
      throw PortInUse.isCause(e)
          ? new StartException(
              PortInUse.message(packets.host(), packets.port(), "theseus.packets.port"), e)
          : new StartException(
              "Clients can't be served at "
                  + NodeSettings.address(packets.host(), packets.port())
                  + ": "
                  + e.getMessage(),
              e);
    }
    if (packets.tls().isPresent()) {
      listen(packets.tls().get());
    }
  }

  private void listen(NodeSettings.Tls tls) throws StartException {
    Door listening = door;
    Watched<ServerTls> keys = certificate;
    if (listening == null || keys == null) {
      throw new IllegalStateException("not open yet");
    }
    try {
      listening.listen(
          new TlsSettings(
              tls.host(),
              tls.port(),
              tls.advertise(),
              tls.handshake(),
              keys,
              settings.access().anonymousAt(tls.host())));
    } catch (IOException | RuntimeException e) {
      throw PortInUse.isCause(e)
          ? new StartException(
              PortInUse.message(tls.host(), tls.port(), "theseus.packets.tls.port"), e)
          : new StartException(
              "Clients can't be served over TLS at "
                  + NodeSettings.address(tls.host(), tls.port())
                  + ": "
                  + e.getMessage(),
              e);
    }
  }

  /** {@code host:port} as clients reach this node. */
  String packetsAddress() {
    Door listening = door;
    return listening == null ? "" : listening.advertised();
  }

  /** The same for clients that speak TLS; empty where there is no port for them. */
  Optional<String> tlsAddress() {
    return Optional.ofNullable(door).flatMap(Door::advertisedEncrypted);
  }

  /** What clients over TLS are shown; empty where there is no port for them. */
  Optional<Watched<ServerTls>> certificate() {
    return Optional.ofNullable(certificate);
  }

  /** What other nodes are shown; empty where there is no TLS between nodes. */
  Optional<Watched<RemotingTls.Keys>> remotingKeys() {
    return Optional.ofNullable(remotingKeys);
  }

  /** Whose modules are accepted. */
  ModuleKeys moduleKeys() {
    return moduleKeys;
  }

  /** The file of tokens; empty where there is none. */
  Optional<Watched<Tokens>> tokens() {
    return Optional.ofNullable(tokens);
  }

  /** Ends the connections with care; sessions stay resumable. */
  void stopListening() {
    Door listening = door;
    if (listening != null) {
      listening.close();
    }
  }

  /** Closes the files; nothing uses them any more. */
  @Override
  public void close() {
    watching.shutdownNow();
    repair.close();
    names.close();
    revisions.close();
    loops.close();
    Copying between = copying;
    if (between != null) {
      between.port().close();
    }
    disk.shutdown();
    try {
      if (!disk.awaitTermination(DISK_STOP_SECONDS, TimeUnit.SECONDS)) {
        log.warn("disk threads have not ended after {} s", DISK_STOP_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      store.close();
    } catch (IOException e) {
      log.warn("the files can't be closed: {}", e.getMessage());
    }
  }
}
