package io.theseus.module;

import io.theseus.channel.Admission;
import io.theseus.channel.DataChannel;
import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.PayloadUse;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of a revision that serve one session, and the only way to call them: on the session's
 * line, one call at a time, checked.
 *
 * <p>Nothing that a module made leaves this class: not in an answer, not in an exception. When a
 * successor begins, components that are the same in both revisions go over as the objects that they
 * are; others hand over bytes.
 */
public final class SessionCode {
  private static final Logger log = LoggerFactory.getLogger(SessionCode.class);
  private static final Duration LONGEST_DELAY = Duration.ofMinutes(1);
  private static final int PRACTICE_BYTES = 1024;

  /**
   * A session whose code is to begin.
   *
   * @param predecessor is closed by it, and makes no decision from now on; null for none
   * @param first is answered with it; empty where nothing is to be decided yet
   */
  public record Beginning(
      SessionInfo session, @Nullable SessionCode predecessor, Optional<Question> first) {}

  /**
   * What may move next?
   *
   * @param progress where grants end; the first range begins there
   * @param reach no range begins at or behind it
   * @param most no range ends behind it
   */
  public record Question(Progress progress, long reach, long most) {}

  /**
   * Code that is ready to decide, and whether its session may be.
   *
   * @param first the answer to the first question; empty where none was asked, or the session may
   *     not be as it is
   */
  public record Begun(SessionCode code, Admission admission, Optional<Decisions> first) {}

  /** Hears what became of code that was to begin, of many together. */
  @FunctionalInterface
  public interface Heard {
    /**
     * On any thread, for each once.
     *
     * @param number of the session, in the order in which they were given
     * @param begun null where it failed; then nothing is left to be closed
     * @param failure null where it did not
     */
    void heard(int number, @Nullable Begun begun, @Nullable CodeException failure);
  }

  /** An object of a component. */
  private record Part<T>(Revision.Component<T> component, T object) {}

  /** A function that looks at bytes. */
  private record Looking(Part<NetworkFunction> function, PayloadUse use) {}

  /** What became of bytes that were to pass. */
  public sealed interface Verdict {
    /** They may go. */
    record Passed() implements Verdict {}

    /** They may not. */
    record Denied(String reason) implements Verdict {}

    /** They are its successor's, to which it has handed over; or nobody's any more. */
    record Left() implements Verdict {}
  }

  /** What a predecessor leaves, by the key of the component: its objects, or their state. */
  record Legacy(Map<String, Part<?>> objects, Map<String, HandOver> states) {
    private static Legacy of(Map<String, HandOver> states) {
      return new Legacy(Map.of(), states);
    }
  }

  static final Legacy NO_LEGACY = Legacy.of(Map.of());

  private final Revision revision;
  private final SessionInfo session;
  private final ModuleThreads.Line line;
  private final AtomicBoolean closed = new AtomicBoolean();

  // of the line's thread alone
  private @Nullable Part<DataChannel> channel;
  private List<Part<NetworkFunction>> functions = List.of();
  private List<Looking> looking = List.of();

  /** Whether its objects are another's, or nobody's. */
  private boolean left;

  private volatile PayloadUse payloadUse = PayloadUse.NONE;

  /** What the predecessor handed over, for a successor in case that this code fails. */
  private volatile Map<String, HandOver> inherited = Map.of();

  /** Whether its objects are another's: there is nothing to let go of. */
  private volatile boolean handedOver;

  SessionCode(Revision revision, SessionInfo session) {
    this.revision = revision;
    this.session = session;
    this.line = revision.threads().line();
  }

  /**
   * Makes the objects for sessions, lets them take over, and asks whether the sessions may be: of
   * many in a few calls, so that they cost little more than their code.
   *
   * @param others sessions of this node beside each, for the admission policy
   * @return when all were heard of
   */
  public static CompletionStage<Boolean> begin(
      Revision revision, List<Beginning> sessions, int others, Heard heard) {
    return new SessionCodes(revision, sessions, others, heard).begin();
  }

  /** The same for one. */
  public static CompletionStage<Begun> begin(Revision revision, Beginning session, int others) {
    CompletableFuture<Begun> answer = new CompletableFuture<>();
    CompletionStage<Boolean> unused =
        begin(
            revision,
            List.of(session),
            others,
            (number, begun, failure) -> {
              if (begun != null) {
                answer.complete(begun);
              } else {
                answer.completeExceptionally(failure);
              }
            });
    return answer;
  }

  /**
   * Makes the objects for a session that isn't one, to try them: nobody is asked whether it may be,
   * since a node's policies count what they are asked.
   */
  static CompletionStage<SessionCode> beginPractice(Revision revision, SessionInfo session) {
    SessionCode code = new SessionCode(revision, session);
    revision.enter();
    return code.line
        .call(
            revision.id(),
            "begin",
            () -> code.begin(NO_LEGACY, Admission.admit(), Optional.empty()))
        .thenApply(Begun::code)
        .whenComplete(
            (begun, failure) -> {
              if (failure != null) {
                code.close();
              }
            });
  }

  /** The thread that calls it. */
  ModuleThreads.Line line() {
    return line;
  }

  Revision revision() {
    return revision;
  }

  /** What it was told of its session. */
  public SessionInfo session() {
    return session;
  }

  /** What it began with, for a successor where it has not left anything itself. */
  Legacy inherited() {
    return Legacy.of(inherited);
  }

  /** Begins, on its line. */
  Begun begin(Legacy legacy, Admission admitted, Optional<Question> first) throws CodeException {
    inherited = legacy.states();
    Part<DataChannel> opened = part(revision.channel(), legacy);
    channel = opened;
    if (!legacy.objects().containsValue(opened)) {
      call(opened, "begin", () -> opened.object().begin(session));
      HandOver state = legacy.states().get(opened.component().key());
      if (state != null) {
        ask(opened, "takeOver", () -> opened.object().takeOver(state));
      }
    }
    Admission admission = admitted;
    List<Part<NetworkFunction>> chain = new ArrayList<>();
    for (Revision.Component<NetworkFunction> component : revision.functions()) {
      Part<NetworkFunction> function = part(component, legacy);
      chain.add(function);
      if (legacy.objects().containsValue(function)) {
        continue;
      }
      Admission answer = ask(function, "begin", () -> function.object().begin(session));
      if (admission instanceof Admission.Admit) {
        admission = answer;
      }
      HandOver state = legacy.states().get(component.key());
      if (state != null) {
        ask(function, "takeOver", () -> function.object().takeOver(state));
      }
    }
    functions = List.copyOf(chain);
    looking = looking();
    Optional<Decisions> decided = Optional.empty();
    if (first.isPresent() && admission instanceof Admission.Admit) {
      Question asked = first.get();
      decided = Optional.of(decisions(asked.progress(), asked.reach(), asked.most()));
    }
    return new Begun(this, admission, decided);
  }

  /** The predecessor's object where the component is the same, a new one otherwise. */
  private <T> Part<T> part(Revision.Component<T> component, Legacy legacy) throws CodeException {
    Part<?> kept = legacy.objects().get(component.key());
    if (kept != null) {
      @SuppressWarnings("unchecked") // equal content is equal code, of the same kind
      Part<T> same = (Part<T>) kept;
      return same;
    }
    return new Part<>(component, component.make(line));
  }

  private List<Looking> looking() throws CodeException {
    List<Looking> all = new ArrayList<>();
    for (Part<NetworkFunction> function : functions) {
      PayloadUse use = ask(function, "payloadUse", () -> function.object().payloadUse());
      if (use != PayloadUse.NONE) {
        all.add(new Looking(function, use));
      }
      if (use.compareTo(payloadUse) > 0) {
        payloadUse = use;
      }
    }
    return List.copyOf(all);
  }

  /** The most that any of its functions does with the bytes; known once it has begun. */
  public PayloadUse payloadUse() {
    return payloadUse;
  }

  // ---- handing over

  /** Hands over, on its line; from then on it decides nothing. */
  Legacy leave(Revision successor) {
    Map<String, Part<?>> objects = new HashMap<>();
    Map<String, HandOver> states = new HashMap<>(inherited);
    Part<DataChannel> last = channel;
    if (last != null) {
      leave(last, last.object()::handOver, successor, objects, states);
    }
    for (Part<NetworkFunction> function : functions) {
      leave(function, function.object()::handOver, successor, objects, states);
    }
    letGo();
    handedOver = true;
    return new Legacy(objects, states);
  }

  private void leave(
      Part<?> part,
      Supplier<Optional<HandOver>> handOver,
      Revision successor,
      Map<String, Part<?>> objects,
      Map<String, HandOver> states) {
    String key = part.component().key();
    if (part.component().content().equals(successor.content(key))) {
      objects.put(key, part);
      states.remove(key);
      return;
    }
    try {
      Optional<HandOver> state = ask(part, "handOver", handOver::get);
      state.ifPresentOrElse(each -> states.put(key, each), () -> states.remove(key));
    } catch (CodeException e) {
      // what it inherited itself stays
      log.warn("session {}: revision {} hands nothing over: {}", session.id(), revision, reason(e));
    }
  }

  // ---- deciding

  /** What may move next; fails with a {@link CodeException}. */
  public CompletionStage<Decisions> decide(Question asked) {
    return line.call(
        revision.id(), "next", () -> decisions(asked.progress(), asked.reach(), asked.most()));
  }

  /**
   * Decides range by range, and from the beginning again behind the end; the answer is how often.
   *
   * @param goOn whether to decide once more, behind so many times
   */
  CompletionStage<Integer> practise(long end, IntPredicate goOn) {
    return line.call(
        revision.id(),
        "next",
        () -> {
          int calls = 0;
          long at = 0;
          byte[] bytes = new byte[PRACTICE_BYTES];
          do {
            List<Range> ranges =
                decisions(new Progress(session.direction(), at, end), at + 1, end).ranges();
            Arrays.fill(bytes, (byte) 0);
            verdict(at, bytes);
            at = ranges.isEmpty() ? at : ranges.get(ranges.size() - 1).end() % end;
            calls++;
          } while (goOn.test(calls));
          return calls;
        });
  }

  private Decisions decisions(Progress progress, long reach, long most) throws CodeException {
    List<Range> ranges = new ArrayList<>(1); // what there is room for is one, mostly
    long at = progress.position();
    long end = progress.end();
    while (at < end && at < Math.min(reach, most)) {
      Range range = next(new Progress(progress.direction(), at, end));
      for (Part<NetworkFunction> function : functions) {
        Range asked = range;
        long now = System.nanoTime();
        Passage passage = ask(function, "decide", () -> function.object().decide(asked, now));
        if (passage instanceof Passage.Deny deny) {
          return new Decisions(
              Collections.unmodifiableList(ranges),
              Optional.empty(),
              Optional.of(String.valueOf(deny.reason())));
        } else if (passage instanceof Passage.Delay delay) {
          return new Decisions(
              Collections.unmodifiableList(ranges),
              Optional.of(checked(function, delay.time())),
              Optional.empty());
        } else if (passage instanceof Passage.Limit limit) {
          range = new Range(at, checked(function, limit.length(), range.length()));
        }
      }
      Range granted = new Range(at, (int) Math.min(range.length(), most - at));
      for (Part<NetworkFunction> function : functions) {
        call(function, "passed", () -> function.object().passed(granted));
      }
      ranges.add(granted);
      at = granted.end();
    }
    return new Decisions(Collections.unmodifiableList(ranges), Optional.empty(), Optional.empty());
  }

  private Range next(Progress progress) throws CodeException {
    Part<DataChannel> asked = channel;
    if (asked == null) {
      throw new CodeException(revision.id() + ": closed (expected: open)");
    }
    Range range = ask(asked, "next", () -> asked.object().next(progress));
    if (range.offset() != progress.position()) {
      throw new CodeException(
          asked.component().name()
              + ": range at "
              + range.offset()
              + " (expected: at "
              + progress.position()
              + ")");
    }
    if (range.length() < 1 || range.length() > Range.MOST || range.end() > progress.end()) {
      throw new CodeException(
          asked.component().name()
              + ": range of "
              + range.length()
              + " bytes (expected: 1 to "
              + Math.min(Range.MOST, progress.end() - progress.position())
              + ")");
    }
    return range;
  }

  private static int checked(Part<?> part, int length, int most) throws CodeException {
    if (length < 1 || length > most) {
      throw new CodeException(
          part.component().name()
              + ": limit of "
              + length
              + " bytes (expected: 1 to "
              + most
              + ")");
    }
    return length;
  }

  private static Duration checked(Part<?> part, Duration time) throws CodeException {
    if (time.toMillis() < 1 || time.compareTo(LONGEST_DELAY) > 0) {
      throw new CodeException(
          part.component().name() + ": delay of " + time + " (expected: 1 ms to 1 min)");
    }
    return time;
  }

  // ---- looking at bytes

  /**
   * Lets bytes pass the functions that look at them, or change them in place; fails with a {@link
   * CodeException}.
   *
   * @param offset in the transfer of the first byte
   * @param bytes memory of its own, to be used for nothing else where this fails: code that hangs
   *     may still write into it
   */
  public CompletionStage<Verdict> pass(long offset, byte[] bytes) {
    return line.call(revision.id(), "payload", () -> verdict(offset, bytes));
  }

  private Verdict verdict(long offset, byte[] bytes) throws CodeException {
    if (left) {
      return new Verdict.Left();
    }
    for (Looking each : looking) {
      ByteBuffer memory = ByteBuffer.wrap(bytes);
      ByteBuffer view = each.use() == PayloadUse.TRANSFORM ? memory : memory.asReadOnlyBuffer();
      NetworkFunction function = each.function().object();
      Optional<String> denial =
          ask(each.function(), "payload", () -> function.payload(offset, view));
      if (view.limit() != bytes.length) {
        throw new CodeException(
            each.function().component().name()
                + ": limit of the bytes: "
                + view.limit()
                + " (expected: "
                + bytes.length
                + ", as many as came)");
      }
      if (denial.isPresent()) {
        return new Verdict.Denied(denial.get());
      }
    }
    return new Verdict.Passed();
  }

  // ---- the end

  /** Lets go of the objects; the revision may go with them. */
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    if (handedOver) {
      revision.leave();
      return;
    }
    line.call(
            revision.id(),
            "close",
            () -> {
              letGo();
              return true;
            })
        .whenComplete((done, failure) -> revision.leave());
  }

  private void letGo() {
    channel = null;
    functions = List.of();
    looking = List.of();
    left = true;
  }

  /** Why a call failed, as text. */
  public static String reason(@Nullable Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof CodeException
        ? String.valueOf(cause.getMessage())
        : String.valueOf(cause);
  }

  private <T> T ask(Part<?> part, String what, Callable<@Nullable T> asking) throws CodeException {
    return line.ask(part.component().name(), what, asking);
  }

  private void call(Part<?> part, String what, Runnable calling) throws CodeException {
    ask(
        part,
        what,
        () -> {
          calling.run();
          return true;
        });
  }
}
