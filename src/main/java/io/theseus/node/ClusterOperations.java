package io.theseus.node;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations;
import io.theseus.module.ModuleArchive;
import io.theseus.module.ModuleException;
import io.theseus.module.RevisionDescription;
import io.theseus.upgrade.Act;
import io.theseus.upgrade.ActAnswer;
import io.theseus.upgrade.ActRecord;
import io.theseus.upgrade.ActRequest;
import io.theseus.upgrade.Course;
import io.theseus.upgrade.NodeRevisions;
import io.theseus.upgrade.RevisionId;
import io.theseus.upgrade.UpgradeView;
import io.theseus.upgrade.Upgrades;
import io.theseus.wire.Texts;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an operator can do, carried out by the node that is asked. */
final class ClusterOperations implements Operations {
  private static final Logger log = LoggerFactory.getLogger(ClusterOperations.class);
  private static final Duration ANSWER = Duration.ofSeconds(15);
  private static final int ID_BYTES = 6;
  private static final int LEAST_PREFIX = 4;
  private static final int MOST_REMEMBERED = 64;

  private final NodeRevisions revisions;
  private final Upgrades upgrades;
  private final ClusterSessions sessions;
  private final ClusterBackups backups;
  private final ClusterRepair repair;
  private final Supplier<Set<String>> missing;
  private final Duration watch;
  private final Clock clock;
  private final SecureRandom random = new SecureRandom();

  /** Acts that were begun here, until this node's own agent has heard of them. */
  private final Map<String, ActView> begun =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, ActView> eldest) {
          return size() > MOST_REMEMBERED;
        }
      };

  /**
   * Operations at a node.
   *
   * @param missing ids of nodes that can't be reached
   * @param watch after a switch, where an order says nothing of it
   */
  ClusterOperations(
      NodeRevisions revisions,
      Upgrades upgrades,
      ClusterSessions sessions,
      ClusterBackups backups,
      ClusterRepair repair,
      Supplier<Set<String>> missing,
      Duration watch,
      Clock clock) {
    this.revisions = revisions;
    this.upgrades = upgrades;
    this.sessions = sessions;
    this.backups = backups;
    this.repair = repair;
    this.missing = missing;
    this.watch = watch;
    this.clock = clock;
  }

  // ---- upgrades

  /** A revision that would be, and what it was made from. */
  private record Next(RevisionDescription description, RevisionDescription base) {}

  private Next next(byte[] jar) throws OperationException {
    try {
      ModuleArchive module = revisions.put(jar);
      RevisionDescription base = describe(view().confirmed().revision());
      List<RevisionDescription> known = new ArrayList<>();
      for (RevisionId each : confirmed()) {
        revisions.describe(each).ifPresent(known::add);
      }
      RevisionDescription.requireNewer(known, module.descriptor(), module.sha256());
      return new Next(base.with(module.descriptor(), module.sha256()), base);
    } catch (ModuleException e) {
      throw new OperationException(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new OperationException("the module can't be kept: " + e.getMessage());
    }
  }

  @Override
  public Preview preview(byte[] jar) throws OperationException {
    Next next = next(jar);
    try {
      revisions.tryOut(next.description());
    } catch (ModuleException | IOException e) {
      throw new OperationException(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new OperationException("interrupted");
    }
    return new Preview(
        new RevisionView(
            next.description().id(),
            next.description().name(),
            "new",
            next.description().toJson(),
            next.base().changesTo(next.description())),
        missing.get());
  }

  @Override
  public ActView upgrade(byte[] jar, Optional<Canary> canary, Order order)
      throws OperationException {
    Next next;
    try {
      next = next(jar);
    } catch (OperationException e) {
      throw refused("an upgrade", order, e);
    }
    RevisionId revision;
    try {
      revision = revisions.put(next.description());
    } catch (IOException e) {
      throw new OperationException("the revision can't be kept: " + e.getMessage());
    }
    Act.Share share =
        canary.map(each -> new Act.Share(each.session().orElse(null), each.percent())).orElse(null);
    return begin(new Act.Upgrade(revision, NodeRevisions.id(next.base()), share), order);
  }

  @Override
  public ActView promote(Order order) throws OperationException {
    return begin(new Act.Promote(), order);
  }

  @Override
  public ActView rollback(String revision, Order order) throws OperationException {
    List<RevisionId> meant =
        confirmed().stream()
            .filter(
                each ->
                    each.name().equals(revision)
                        || (revision.length() >= LEAST_PREFIX && each.hash().startsWith(revision)))
            .toList();
    if (meant.size() != 1) {
      throw new OperationException(
          "revision: "
              + Texts.quote(revision)
              + (meant.isEmpty() ? " is none" : " may be " + meant)
              + " (expected: the name, or the first "
              + LEAST_PREFIX
              + " digits or more, of one of "
              + confirmed()
              + ")");
    }
    return begin(new Act.Rollback(meant.get(0)), order);
  }

  @Override
  public ActView undo(Order order) throws OperationException {
    UpgradeView view = view();
    String act =
        view.running()
            .map(ActRequest::id)
            .or(() -> view.last().map(ActRecord::id))
            .orElseThrow(
                () -> new OperationException("nothing to undo (expected: an act before it)"));
    return begin(new Act.Undo(act), order);
  }

  @Override
  public ActView pause(Order order) throws OperationException {
    return begin(new Act.Pause(), order);
  }

  @Override
  public ActView resume(Order order) throws OperationException {
    return begin(new Act.Resume(), order);
  }

  private ActView begin(Act act, Order order) throws OperationException {
    byte[] id = new byte[ID_BYTES];
    random.nextBytes(id);
    ActRequest request;
    try {
      request =
          new ActRequest(
              HexFormat.of().formatHex(id),
              order.who(),
              clock.millis(),
              act,
              order.without(),
              watched(act, order));
    } catch (IllegalArgumentException e) {
      throw new OperationException(String.valueOf(e.getMessage()));
    }
    ActAnswer answer = await(upgrades.submit(request), "whoever coordinates upgrades");
    if (answer instanceof ActAnswer.Refused refused) {
      throw refused(request.act().toString(), order, new OperationException(refused.reason()));
    } else if (answer instanceof ActAnswer.Unknown unknown) {
      throw new OperationException(
          unknown.reason() + "; it may have begun, `history` tells", /* unreachable= */ true);
    } else if (answer instanceof ActAnswer.Ended ended) {
      return of(ended.how());
    }
    ActView view = of(request, Phase.STAGING, Map.of());
    synchronized (begun) {
      begun.put(view.id(), view);
    }
    return view;
  }

  /** What is refused before it begins is in no history: it is in the log. */
  private static OperationException refused(String what, Order order, OperationException why) {
    log.info("refused: {}, wanted by {}: {}", what, Texts.escape(order.who()), why.getMessage());
    return why;
  }

  /** What changes no code has nothing to be watched for. */
  private long watched(Act act, Order order) {
    boolean changesCode = !(act instanceof Act.Pause || act instanceof Act.Resume);
    return order.watch().orElse(changesCode ? watch : Duration.ZERO).toMillis();
  }

  // ---- what is known

  @Override
  public Optional<ActView> act(String id) throws OperationException {
    UpgradeView view = view();
    Optional<ActRecord> ended = view.ended(id);
    if (ended.isPresent()) {
      return ended.map(ClusterOperations::of);
    }
    Optional<ActRequest> running = view.running().filter(each -> each.id().equals(id));
    if (running.isPresent()) {
      return running.map(each -> running(view, each));
    }
    synchronized (begun) {
      return Optional.ofNullable(begun.get(id));
    }
  }

  private ActView running(UpgradeView view, ActRequest request) {
    Map<String, String> nodes;
    try {
      nodes = await(upgrades.progress(), "whoever coordinates upgrades");
    } catch (OperationException e) {
      nodes = Map.of(); // another one is being chosen
    }
    return of(request, view.switching() ? Phase.SWITCHING : Phase.STAGING, nodes);
  }

  @Override
  public List<ActView> history() throws OperationException {
    UpgradeView view = view();
    List<ActView> acts = new ArrayList<>();
    for (ActRecord each : view.history()) {
      acts.add(0, of(each));
    }
    view.running().ifPresent(each -> acts.add(0, running(view, each)));
    return acts;
  }

  @Override
  public List<RevisionView> revisions() throws OperationException {
    UpgradeView view = view();
    Course course = view.confirmed();
    RevisionDescription serving = describe(course.revision());
    List<RevisionView> all = new ArrayList<>();
    for (RevisionId each : confirmed()) {
      all.add(of(each, state(view, each), serving));
    }
    return all;
  }

  private static String state(UpgradeView view, RevisionId revision) {
    Course course = view.confirmed();
    if (revision.equals(course.revision())) {
      return "serving";
    } else if (course.canary() != null && revision.equals(course.canary().revision())) {
      return "canary";
    }
    return view.stable().equals(Optional.of(revision)) ? "stable" : "former";
  }

  private RevisionView of(RevisionId id, String state, RevisionDescription serving)
      throws OperationException {
    Optional<RevisionDescription> description;
    try {
      description = revisions.describe(id);
    } catch (IOException e) {
      throw new OperationException("revision " + id + " can't be read: " + e.getMessage());
    }
    return new RevisionView(
        id.hash(),
        id.name(),
        state,
        description.map(RevisionDescription::toJson).orElse(""),
        description.map(serving::changesTo).orElse(List.of("its description is not on this node")));
  }

  /** What was confirmed and is remembered: what is in force first, then the latest. */
  private List<RevisionId> confirmed() throws OperationException {
    UpgradeView view = view();
    Set<RevisionId> all = new LinkedHashSet<>();
    all.add(view.confirmed().revision());
    all.addAll(revisionsOf(view.confirmed()));
    List<ActRecord> history = view.history();
    for (int i = history.size() - 1; i >= 0; i--) {
      if (history.get(i).outcome() == ActRecord.Outcome.CONFIRMED) {
        all.addAll(revisionsOf(history.get(i).target()));
        all.addAll(revisionsOf(history.get(i).before()));
      }
    }
    return List.copyOf(all);
  }

  private static List<RevisionId> revisionsOf(Course course) {
    return course.canary() == null
        ? List.of(course.revision())
        : List.of(course.revision(), course.canary().revision());
  }

  private RevisionDescription describe(RevisionId id) throws OperationException {
    try {
      return revisions
          .describe(id)
          .orElseThrow(
              () ->
                  new OperationException(
                      "revision "
                          + id
                          + ": its description is not on this node (expected: here; ask another"
                          + " node)"));
    } catch (IOException e) {
      throw new OperationException("revision " + id + " can't be read: " + e.getMessage());
    }
  }

  private UpgradeView view() throws OperationException {
    return upgrades
        .view()
        .orElseThrow(
            () ->
                new OperationException(
                    "this node is starting (expected: it has started)", /* unreachable= */ true));
  }

  private static ActView of(ActRecord record) {
    return new ActView(
        record.id(),
        record.what(),
        record.who(),
        at(record.atMillis()),
        switch (record.outcome()) {
          case CONFIRMED -> Phase.CONFIRMED;
          case REFUSED -> Phase.REFUSED;
          case ROLLED_BACK -> Phase.ROLLED_BACK;
        },
        record.reason(),
        Map.of());
  }

  private static ActView of(ActRequest request, Phase phase, Map<String, String> nodes) {
    return new ActView(
        request.id(),
        request.act().toString(),
        request.who(),
        at(request.atMillis()),
        phase,
        "",
        nodes);
  }

  private static String at(long millis) {
    return Instant.ofEpochMilli(millis).truncatedTo(ChronoUnit.MILLIS).toString();
  }

  // ---- sessions

  @Override
  public SessionList sessions() throws OperationException {
    return sessions.list();
  }

  @Override
  public String kill(UUID session, Order order) throws OperationException {
    log.info("session {} is ended by {}", session, Texts.escape(order.who()));
    return sessions.kill(session, "ended by " + order.who());
  }

  @Override
  public Map<String, String> accept(boolean accept, Set<String> nodes, Order order)
      throws OperationException {
    return sessions.accept(accept, nodes, order.who());
  }

  @Override
  public BackupList backups() throws OperationException {
    return backups.list();
  }

  @Override
  public Drained drain(String node, boolean drain, Order order) throws OperationException {
    return backups.drain(node, drain, order.who());
  }

  @Override
  public Map<String, String> register(boolean open, Order order) throws OperationException {
    return backups.register(open, order.who());
  }

  @Override
  public List<Verification> verify(String prefix, Order order) throws OperationException {
    return repair.verify(prefix, order.who());
  }

  @Override
  public List<Verification> verification() throws OperationException {
    return repair.verification();
  }

  static <T> T await(CompletionStage<T> answer, String whose) throws OperationException {
    try {
      return answer.toCompletableFuture().get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new OperationException("interrupted");
    } catch (ExecutionException | TimeoutException e) {
      throw new OperationException(
          "no answer of " + whose + " in time (expected: one; ask again)", /* unreachable= */ true);
    }
  }
}
