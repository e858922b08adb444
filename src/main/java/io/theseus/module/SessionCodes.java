package io.theseus.module;

import io.theseus.channel.Admission;
import io.theseus.module.SessionCode.Beginning;
import io.theseus.module.SessionCode.Begun;
import io.theseus.module.SessionCode.Legacy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Code of sessions that begins together: those that go hand over, then those that come take over,
 * with one call for each thread instead of some for each session.
 *
 * <p>What one session's code does wrong is that session's failure. Where a call hangs, its revision
 * is over, and with it all that was to be done on its threads.
 */
final class SessionCodes {
  /**
   * One of them. Its fields are written by one stage and read by the next, which may come early
   * where a call hangs: then what was left until then counts.
   */
  private static final class Each {
    private final int number;
    private final Beginning what;
    private final SessionCode code;
    private volatile Legacy legacy;
    private Admission admission = Admission.admit();
    private @Nullable Throwable refused;

    Each(int number, Beginning what, SessionCode code) {
      this.number = number;
      this.what = what;
      this.code = code;
      SessionCode predecessor = what.predecessor();
      this.legacy = predecessor == null ? SessionCode.NO_LEGACY : predecessor.inherited();
    }
  }

  /** What became of one of them. */
  private record Outcome(@Nullable Begun begun, @Nullable CodeException failure) {}

  private final Revision revision;
  private final int others;
  private final SessionCode.Heard heard;
  private final List<Each> all;

  /** Of whom nothing has been heard. */
  private final AtomicInteger left;

  private final CompletableFuture<Boolean> allHeard = new CompletableFuture<>();

  SessionCodes(Revision revision, List<Beginning> sessions, int others, SessionCode.Heard heard) {
    this.revision = revision;
    this.others = others;
    this.heard = heard;
    this.left = new AtomicInteger(sessions.size());
    this.all = new ArrayList<>(sessions.size());
    for (Beginning each : sessions) {
      all.add(new Each(all.size(), each, new SessionCode(revision, each.session())));
    }
  }

  CompletionStage<Boolean> begin() {
    if (!enter()) {
      CodeException gone =
          new CodeException(revision.id() + ": was let go of (expected: in force)");
      end(all, each -> new Outcome(null, gone), /* entered= */ false);
    } else {
      List<CompletableFuture<?>> first = admissions();
      first.addAll(handOvers());
      CompletableFuture<Void> unused =
          CompletableFuture.allOf(first.toArray(CompletableFuture[]::new)).thenRun(this::takeOvers);
    }
    return allHeard;
  }

  /** All or none. */
  private boolean enter() {
    for (int i = 0; i < all.size(); i++) {
      if (!revision.enter()) {
        for (int back = 0; back < i; back++) {
          revision.leave();
        }
        return false;
      }
    }
    return true;
  }

  private List<CompletableFuture<?>> admissions() {
    List<CompletableFuture<?>> awaited = new ArrayList<>();
    if (revision.admits()) {
      return awaited;
    }
    for (Each each : all) {
      awaited.add(
          revision
              .admit(each.what.session(), others)
              .handle(
                  (admission, failure) -> {
                    if (failure == null) {
                      each.admission = admission;
                    }
                    each.refused = failure;
                    return true;
                  })
              .toCompletableFuture());
    }
    return awaited;
  }

  private List<CompletableFuture<?>> handOvers() {
    Map<ModuleThreads.Line, List<Each>> byLine = new LinkedHashMap<>();
    for (Each each : all) {
      SessionCode predecessor = each.what.predecessor();
      if (predecessor != null) {
        byLine.computeIfAbsent(predecessor.line(), line -> new ArrayList<>()).add(each);
      }
    }
    List<CompletableFuture<?>> awaited = new ArrayList<>();
    byLine.forEach(
        (line, some) ->
            awaited.add(
                line.call(of(some).revision().id(), "handOver", () -> handOver(line, some))
                    // code that hangs now has failed for good: the successor has what it began with
                    .exceptionally(failure -> false)
                    .toCompletableFuture()));
    return awaited;
  }

  private static SessionCode of(List<Each> some) {
    SessionCode predecessor = some.get(0).what.predecessor();
    if (predecessor == null) {
      throw new IllegalStateException("nobody hands over");
    }
    return predecessor;
  }

  private boolean handOver(ModuleThreads.Line line, List<Each> some) {
    for (Each each : some) {
      line.anew();
      SessionCode predecessor = each.what.predecessor();
      if (predecessor != null) {
        Legacy left = predecessor.leave(revision);
        line.anew(); // what code leaves that was told to stop is not heard
        each.legacy = left;
      }
    }
    return true;
  }

  private void takeOvers() {
    Map<ModuleThreads.Line, List<Each>> byLine = new LinkedHashMap<>();
    for (Each each : all) {
      byLine.computeIfAbsent(each.code.line(), line -> new ArrayList<>()).add(each);
    }
    byLine.forEach(
        (line, some) ->
            line.call(revision.id(), "begin", () -> takeOver(line, some))
                .whenComplete(
                    (outcomes, failure) ->
                        end(
                            some,
                            i ->
                                failure == null
                                    ? outcomes.get(i)
                                    : new Outcome(
                                        null, new CodeException(SessionCode.reason(failure))),
                            /* entered= */ true)));
  }

  private List<Outcome> takeOver(ModuleThreads.Line line, List<Each> some) {
    List<Outcome> outcomes = new ArrayList<>(some.size());
    for (Each each : some) {
      line.anew();
      try {
        Throwable refused = each.refused;
        if (refused != null) {
          throw new CodeException(SessionCode.reason(refused));
        }
        outcomes.add(
            new Outcome(each.code.begin(each.legacy, each.admission, each.what.first()), null));
      } catch (CodeException e) {
        outcomes.add(new Outcome(null, e));
      } catch (Throwable e) { // an answer that can't be used is the fault of this one, too
        outcomes.add(new Outcome(null, CodeException.thrown(revision.id(), "begin", e)));
      }
    }
    return outcomes;
  }

  private void end(List<Each> some, IntFunction<Outcome> outcomes, boolean entered) {
    for (int i = 0; i < some.size(); i++) {
      end(some.get(i), outcomes.apply(i), entered);
    }
    if (left.addAndGet(-some.size()) == 0) {
      allHeard.complete(true);
    }
  }

  private void end(Each each, Outcome outcome, boolean entered) {
    SessionCode predecessor = each.what.predecessor();
    if (predecessor != null) {
      predecessor.close();
    }
    if (outcome.begun() == null && entered) {
      each.code.close();
    }
    heard.heard(each.number, outcome.begun(), outcome.failure());
  }
}
