package io.theseus.module;

import io.theseus.channel.Admission;
import io.theseus.channel.AdmissionPolicy;
import io.theseus.channel.BackupPolicy;
import io.theseus.channel.DataChannel;
import io.theseus.channel.FairnessPolicy;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.SessionInfo;
import io.theseus.wire.Texts;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What serves a session: the unit of version that an upgrade replaces by another. A data channel,
 * the functions that its data passes, the policies of the node.
 *
 * <p>Its code is let go of when it was retired and the last session that runs it has left.
 */
public final class Revision {
  /**
   * A component, and how its objects are made.
   *
   * @param name {@code module@version}, or {@code module@version#component}
   * @param key what stays the same over the versions of it: its successor takes over by this
   * @param content identifies the code: components with equal content are one, whose objects go on
   * @param maker makes an object; runs module code
   */
  public record Component<T>(String name, String key, String content, Maker<? extends T> maker) {
    /** A new object, within a call on this line. */
    T make(ModuleThreads.Line line) throws CodeException {
      return line.ask(name, "its constructor", maker::make);
    }
  }

  /** Makes objects of a component. */
  @FunctionalInterface
  public interface Maker<T> {
    /**
     * A new one.
     *
     * @throws ModuleException why there is none, in words that name the component
     */
    T make() throws ModuleException;
  }

  private static final Component<DataChannel> STANDARD =
      new Component<>("standard@1.0.0", "standard", "built-in", StandardChannel::new);

  private static final Revision BUILT_IN =
      new Revision(
          "built-in",
          STANDARD,
          List.of(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          null,
          () -> {});

  private final String id;
  private final Component<DataChannel> channel;
  private final List<Component<NetworkFunction>> functions;
  private final Optional<NodePolicy<AdmissionPolicy>> admission;
  private final Optional<NodePolicy<FairnessPolicy>> fairness;
  private final Optional<NodePolicy<BackupPolicy>> backup;
  private final @Nullable ModuleThreads threads;
  private final Runnable release;

  /** Of channel and functions, by their keys. */
  private final Map<String, String> contents = new HashMap<>();

  /** Sessions that run it, and one more until it is retired. */
  private final AtomicInteger users = new AtomicInteger(1);

  private volatile boolean retired;

  private Revision(
      String id,
      Component<DataChannel> channel,
      List<Component<NetworkFunction>> functions,
      Optional<NodePolicy<AdmissionPolicy>> admission,
      Optional<NodePolicy<FairnessPolicy>> fairness,
      Optional<NodePolicy<BackupPolicy>> backup,
      @Nullable ModuleThreads threads,
      Runnable release) {
    this.id = id;
    this.channel = channel;
    this.functions = List.copyOf(functions);
    this.admission = admission;
    this.fairness = fairness;
    this.backup = backup;
    this.threads = threads;
    this.release = release;
    contents.put(channel.key(), channel.content());
    functions.forEach(each -> contents.put(each.key(), each.content()));
  }

  /** The content of the component of a session with this key; null where it has none. */
  @Nullable String content(String key) {
    return contents.get(key);
  }

  /** The revision that a node boots with: code of this program, which runs beside its sessions. */
  public static Revision builtIn() {
    return BUILT_IN;
  }

  /** The channel that is built in, for revisions in which no module brings one. */
  public static Component<DataChannel> standardChannel() {
    return STANDARD;
  }

  /**
   * A revision with code of modules.
   *
   * @param id the same on every node
   * @param threads run its code; ended with it
   * @param admission may be that of another revision, too, as fairness and backup may; ended by
   *     release
   * @param release called once, when the last session has left after {@link #retire}
   */
  static Revision of(
      String id,
      Component<DataChannel> channel,
      List<Component<NetworkFunction>> functions,
      Optional<NodePolicy<AdmissionPolicy>> admission,
      Optional<NodePolicy<FairnessPolicy>> fairness,
      Optional<NodePolicy<BackupPolicy>> backup,
      ModuleThreads threads,
      Runnable release) {
    return new Revision(id, channel, functions, admission, fairness, backup, threads, release);
  }

  /** The same on every node. */
  public String id() {
    return id;
  }

  /** Whether it is this program's own code, and none of a module's. */
  public boolean isBuiltIn() {
    return threads == null;
  }

  /** {@code name@version} of the channel, as READY and RESUMED name it. */
  public String module() {
    return channel.name();
  }

  /** A channel that is built in, for a worker that calls it itself. */
  public DataChannel openBuiltIn() {
    if (!isBuiltIn()) {
      throw new IllegalStateException(id + ": code of modules (expected: built in)");
    }
    return new StandardChannel();
  }

  Component<DataChannel> channel() {
    return channel;
  }

  List<Component<NetworkFunction>> functions() {
    return functions;
  }

  /** The policy that divides the bandwidth; empty for first come, first served. */
  public Optional<Component<FairnessPolicy>> fairness() {
    return fairness.map(NodePolicy::component);
  }

  /** The policy that says where copies go; empty for the least loaded nodes. */
  public Optional<Component<BackupPolicy>> backup() {
    return backup.map(NodePolicy::component);
  }

  ModuleThreads threads() {
    ModuleThreads running = threads;
    if (running == null) {
      throw new IllegalStateException(id + ": built in (expected: code of modules)");
    }
    return running;
  }

  /** Whether it lets every session be, and has nobody to be asked. */
  public boolean admits() {
    return admission.isEmpty();
  }

  /** Whether the node lets a session be; fails with a {@link CodeException}. */
  CompletionStage<Admission> admit(SessionInfo session, int others) {
    if (admission.isEmpty()) {
      return CompletableFuture.completedFuture(Admission.admit());
    }
    return admission.get().ask("admit", policy -> policy.admit(session, others));
  }

  /** Whether a call of it hung: no more of it is called. */
  public boolean isAbandoned() {
    return threads != null
        && (threads.isOver() || isOver(admission) || isOver(fairness) || isOver(backup));
  }

  private static boolean isOver(Optional<? extends NodePolicy<?>> policy) {
    return policy.isPresent() && policy.get().threads().isOver();
  }

  /**
   * Looks for calls that hang.
   *
   * @return what does, once
   */
  public @Nullable String check() {
    if (threads == null) {
      return null;
    }
    String hung = threads.check();
    return hung != null
        ? hung
        : policies()
            .map(each -> each.threads().check())
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(null);
  }

  private Stream<NodePolicy<?>> policies() {
    return Stream.of(admission, fairness, backup).flatMap(Optional::stream);
  }

  /** Sessions that run it now. */
  public int sessions() {
    return Math.max(0, users.get() - (retired ? 0 : 1));
  }

  /**
   * How its policy divides a bandwidth; only where it has {@link #fairness}. Fails with a {@link
   * CodeException}.
   *
   * @return bytes for each demand, checked
   */
  public CompletionStage<long[]> share(long budget, List<FairnessPolicy.Demand> demands) {
    NodePolicy<FairnessPolicy> policy = fairness.orElseThrow();
    return policy
        .<long[]>ask(
            "share",
            asked -> {
              long[] shares = asked.share(budget, demands);
              return shares == null ? null : shares.clone();
            })
        .thenCompose(shares -> checked(policy.component().name(), budget, demands, shares));
  }

  private static CompletionStage<long[]> checked(
      String name, long budget, List<FairnessPolicy.Demand> demands, long[] shares) {
    if (shares.length != demands.size()) {
      return broken(
          name
              + ": shares: "
              + shares.length
              + " (expected: "
              + demands.size()
              + ", one for each)");
    }
    long sum = 0;
    for (int i = 0; i < shares.length; i++) {
      long wanted = demands.get(i).wanted();
      if (shares[i] < 0 || shares[i] > wanted) {
        return broken(name + ": share: " + shares[i] + " (expected: 0 to " + wanted + ")");
      }
      sum += shares[i];
    }
    return sum > budget
        ? broken(name + ": together: " + sum + " (expected: at most " + budget + ")")
        : CompletableFuture.completedFuture(shares);
  }

  /**
   * The node that its policy chooses; only where it has {@link #backup}. Fails with a {@link
   * CodeException}.
   *
   * @return one of the candidates
   */
  public CompletionStage<String> choose(
      BackupPolicy.Upload upload, List<BackupPolicy.Candidate> candidates) {
    NodePolicy<BackupPolicy> policy = backup.orElseThrow();
    return policy
        .<String>ask("choose", asked -> asked.choose(upload, candidates))
        .thenCompose(node -> checked(policy.component().name(), candidates, node));
  }

  private static CompletionStage<String> checked(
      String name, List<BackupPolicy.Candidate> candidates, String node) {
    List<String> nodes = candidates.stream().map(BackupPolicy.Candidate::node).toList();
    return nodes.contains(node)
        ? CompletableFuture.completedFuture(node)
        : broken(name + ": node: " + Texts.quote(node) + " (expected: of " + nodes + ")");
  }

  private static <T> CompletionStage<T> broken(String message) {
    return CompletableFuture.failedFuture(new CodeException(message));
  }

  /** Whether it was let go of. */
  public boolean isReleased() {
    return users.get() == 0;
  }

  /** A session comes under it; false where it was let go of just before. */
  boolean enter() {
    return users.getAndUpdate(now -> now == 0 ? 0 : now + 1) > 0;
  }

  /** A session that came under it has left. */
  void leave() {
    if (users.decrementAndGet() == 0) {
      close();
    }
  }

  /** No further session comes under it. */
  public synchronized void retire() {
    if (!retired && !isBuiltIn()) {
      retired = true;
      leave();
    }
  }

  /** Lets go of one that was never in force, and doesn't wait for code of it that hangs. */
  public void giveUp() {
    if (threads != null) {
      threads.close();
    }
    retire();
  }

  private void close() {
    if (threads != null) {
      threads.close();
    }
    release.run();
  }

  @Override
  public String toString() {
    return id + " (" + module() + ")";
  }
}
