package io.theseus.module;

import io.theseus.channel.AdmissionPolicy;
import io.theseus.channel.BackupPolicy;
import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.FairnessPolicy;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.SessionInfo;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;

/**
 * Stages revisions: makes of a description and the modules in the store what sessions can run,
 * tried and warm.
 *
 * <p>Revisions share what is the same in them: the classes of a jar, and a node's policies with all
 * that they know. It goes when the last of them is let go of ({@link Revision#retire}).
 */
public final class Revisions {
  /**
   * What staging may take.
   *
   * @param threads for the code of one revision
   * @param callDeadline the longest that one call of code may take
   * @param selfTest the longest that trying all of a revision's components may take
   * @param warmUp the longest that its code is called to be compiled
   */
  public record Limits(int threads, Duration callDeadline, Duration selfTest, Duration warmUp) {}

  /** Waits between bursts of calls. */
  @FunctionalInterface
  interface Pauser {
    void pause(Duration time) throws InterruptedException;
  }

  /** Bytes of the transfers that code is warmed up with: many ranges, whatever their length. */
  private static final long PRACTICE_SIZE = 1L << 30;

  private final ModuleStore store;
  private final Limits limits;
  private final LongSupplier nanoTime;
  private final Pauser pauser;
  private final Shared<ModuleLoader> loaders = new Shared<>(loader -> true, ModuleLoader::close);
  private final Shared<NodePolicy<AdmissionPolicy>> admissions = policies();
  private final Shared<NodePolicy<FairnessPolicy>> fairnesses = policies();
  private final Shared<NodePolicy<BackupPolicy>> backups = policies();

  /** Revisions of the modules in a store. */
  public Revisions(ModuleStore store, Limits limits) {
    this(store, limits, System::nanoTime, time -> Thread.sleep(time.toMillis()));
  }

  Revisions(ModuleStore store, Limits limits, LongSupplier nanoTime, Pauser pauser) {
    this.store = store;
    this.limits = limits;
    this.nanoTime = nanoTime;
    this.pauser = pauser;
  }

  /** Those that hung are not for others. */
  private static <T> Shared<NodePolicy<T>> policies() {
    return new Shared<>(policy -> !policy.threads().isOver(), NodePolicy::close);
  }

  /**
   * Makes a revision, tries it and warms it up; for a thread that may wait as long as the limits
   * say. Each call makes another one, which is there until it is retired.
   *
   * @throws ModuleException why it is refused; then all of it has been let go of
   */
  public Revision stage(RevisionDescription description)
      throws IOException, ModuleException, InterruptedException {
    if (description.components().isEmpty()) {
      return Revision.builtIn();
    }
    Staging staging = new Staging(description);
    boolean fit = false;
    try {
      Revision revision = staging.assemble();
      staging.selfTest();
      warmUp(revision);
      fit = true;
      return revision;
    } finally {
      if (!fit) {
        staging.giveUp();
      }
    }
  }

  /** Classes and policies that are held for revisions. */
  int held() {
    return loaders.size() + admissions.size() + fairnesses.size() + backups.size();
  }

  /** A revision on its way. */
  private final class Staging {
    private final RevisionDescription description;
    private final ModuleThreads threads;
    private final Map<String, ModuleLoader> jars = new HashMap<>();
    private final List<Runnable> releases = new ArrayList<>();

    Staging(RevisionDescription description) {
      this.description = description;
      // its id is too long to be read in a thread's name
      String name = description.id().substring(0, 12);
      this.threads = new ModuleThreads(name, limits.threads(), limits.callDeadline(), nanoTime);
    }

    Revision assemble() throws IOException, ModuleException {
      for (ComponentReference each : description.components()) {
        if (!jars.containsKey(each.sha256())) {
          jars.put(each.sha256(), hold(loaders, each.sha256(), () -> load(each)));
        }
      }
      Revision.Component<DataChannel> channel =
          description.channel().isEmpty()
              ? Revision.standardChannel()
              : component(description.channel().get(), DataChannel.class);
      List<Revision.Component<NetworkFunction>> functions = new ArrayList<>();
      for (ComponentReference each : description.functions()) {
        functions.add(component(each, NetworkFunction.class));
      }
      return Revision.of(
          description.id(),
          channel,
          functions,
          policy(description.admission(), AdmissionPolicy.class, admissions),
          policy(description.fairness(), FairnessPolicy.class, fairnesses),
          policy(description.backup(), BackupPolicy.class, backups),
          threads,
          this::release);
    }

    private <T> T hold(Shared<T> shared, String key, Shared.Source<? extends T> source)
        throws IOException, ModuleException {
      Shared.Held<T> held = shared.take(key, source);
      releases.add(0, () -> shared.release(held)); // last in, first out
      return held.object();
    }

    private ModuleLoader load(ComponentReference reference) throws IOException, ModuleException {
      Optional<VerifiedModule> module = store.get(reference.sha256());
      if (module.isEmpty()) {
        throw new ModuleException(
            module(reference)
                + ": not here (expected: in the store, SHA-256 "
                + reference.sha256()
                + ")");
      }
      return ModuleLoader.load(module.get());
    }

    private <T> Optional<NodePolicy<T>> policy(
        Optional<ComponentReference> reference, Class<T> type, Shared<NodePolicy<T>> shared)
        throws IOException, ModuleException {
      if (reference.isEmpty()) {
        return Optional.empty();
      }
      Revision.Component<T> component = component(reference.get(), type);
      return Optional.of(
          hold(
              shared,
              component.content(),
              () -> new NodePolicy<>(component, limits.callDeadline())));
    }

    private <T> Revision.Component<T> component(ComponentReference reference, Class<T> type)
        throws ModuleException {
      ModuleLoader loader = loader(reference);
      String name = reference.component();
      if (loader
          .descriptor()
          .component(name)
          .filter(each -> each.kind().type() == type)
          .isEmpty()) {
        throw new ModuleException(
            "component: "
                + name
                + " (expected: a "
                + type.getSimpleName()
                + " of "
                + module(reference)
                + ")");
      }
      return new Revision.Component<>(
          reference.toString(),
          reference.module() + "#" + name,
          reference.sha256() + "#" + name,
          () -> loader.instantiate(name, type));
    }

    private ModuleLoader loader(ComponentReference reference) throws ModuleException {
      ModuleLoader loader = jars.get(reference.sha256());
      if (loader == null) {
        throw new IllegalStateException(reference + ": not loaded");
      }
      if (!loader.descriptor().module().equals(module(reference))) {
        throw new ModuleException(
            "module: "
                + module(reference)
                + " (expected: "
                + loader.descriptor().module()
                + ", which its jar is)");
      }
      return loader;
    }

    /** Runs all components on transfers; the first rule that one breaks is the refusal. */
    void selfTest() throws ModuleException, InterruptedException {
      long end = nanoTime.getAsLong() + limits.selfTest().toNanos();
      for (ComponentReference each : description.components()) {
        List<Rehearsal.Violation> violations = answer(rehearse(each), each.toString(), end);
        if (!violations.isEmpty()) {
          Rehearsal.Violation first = violations.get(0);
          throw new ModuleException(
              each + ": " + first.transfer() + ": " + first.call() + ": " + first.broken());
        }
      }
    }

    private CompletionStage<List<Rehearsal.Violation>> rehearse(ComponentReference reference)
        throws ModuleException {
      ModuleLoader loader = loader(reference);
      Component component = loader.descriptor().component(reference.component()).orElseThrow();
      ModuleThreads.Line line = threads.line();
      return line.call(
          reference.toString(),
          "self-test",
          () ->
              new Rehearsal(loader, call -> line.calling(reference.toString(), call))
                  .run(component, RecordedTransfer.standard()));
    }

    private <T> T answer(CompletionStage<T> answer, String component, long end)
        throws ModuleException, InterruptedException {
      while (nanoTime.getAsLong() - end < 0) {
        Optional<T> heard = poll(answer, threads);
        if (heard.isPresent()) {
          return heard.get();
        }
      }
      throw new ModuleException(
          component
              + ": self-test of the revision did not end within "
              + limits.selfTest().toMillis()
              + " ms");
    }

    void giveUp() {
      threads.close();
      release();
    }

    private void release() {
      releases.forEach(Runnable::run);
    }
  }

  private static String module(ComponentReference reference) {
    return reference.module() + "@" + reference.version();
  }

  // ---- warming up

  private void warmUp(Revision revision) throws ModuleException, InterruptedException {
    WarmUp warmUp = new WarmUp(limits.warmUp(), nanoTime);
    int i = 0;
    do { // once at least: this is also what refuses code that no session could begin
      SessionCode code =
          answer(SessionCode.beginPractice(revision, practice(i++)), revision.threads());
      try {
        long begin = nanoTime.getAsLong();
        long end = begin + WarmUp.BURST.toNanos();
        int calls =
            answer(
                code.practise(
                    PRACTICE_SIZE,
                    made -> made < WarmUp.BURST_CALLS && nanoTime.getAsLong() - end < 0),
                revision.threads());
        warmUp.burst(calls, nanoTime.getAsLong() - begin);
      } finally {
        code.close();
      }
      pauser.pause(WarmUp.PAUSE);
    } while (warmUp.goesOn());
  }

  private static SessionInfo practice(int number) {
    Direction direction = number % 2 == 0 ? Direction.GET : Direction.PUT;
    return new SessionInfo(
        new UUID(0, number), direction, "practice", OptionalLong.of(PRACTICE_SIZE), "127.0.0.1");
  }

  // ---- waiting

  private <T> T answer(CompletionStage<T> answer, ModuleThreads threads)
      throws ModuleException, InterruptedException {
    Optional<T> heard = Optional.empty();
    while (heard.isEmpty()) {
      heard = poll(answer, threads);
    }
    return heard.get();
  }

  /** An answer, where it comes soon; looks for calls that hang otherwise. */
  private <T> Optional<T> poll(CompletionStage<T> answer, ModuleThreads threads)
      throws ModuleException, InterruptedException {
    try {
      long soon = Math.max(1, limits.callDeadline().toMillis() / 4);
      return Optional.of(answer.toCompletableFuture().get(soon, TimeUnit.MILLISECONDS));
    } catch (TimeoutException e) {
      threads.check();
      return Optional.empty();
    } catch (ExecutionException e) {
      throw new ModuleException(SessionCode.reason(e.getCause()));
    }
  }
}
