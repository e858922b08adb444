package io.theseus.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random conversations: {@link PutPump} against a slow model that is the page, byte by byte. */
@Tag("once") // says nothing of a version of Java
class PutPumpTest {
  private static final int MOST_SIZE = 60;
  private static final int UNKNOWN = -1;

  /** What happens to a PUT; numbers are folded into what makes sense when it happens. */
  private sealed interface Input {}

  private record Decide(int jitter, int length) implements Input {}

  private record Deliver(int which) implements Input {}

  private record Data(Shape shape, int length, int number) implements Input {}

  private record Payload(int length) implements Input {}

  private record HandOn(int length) implements Input {}

  private record End(int off) implements Input {}

  private record Durable(int behind) implements Input {}

  private record Quiet(boolean quiet) implements Input {}

  private record Hold() implements Input {}

  private record Swap() implements Input {}

  private record Succeed() implements Input {}

  private record Revoke() implements Input {}

  private enum Shape {
    NEXT,
    GAP,
    OVERLAP
  }

  /**
   * How a PUT begins.
   *
   * @param lags whether bytes that came are handed on later, as where functions look at them
   */
  private record Begin(int size, int offset, boolean sized, int window, boolean lags) {}

  private record Decided(int generation, Range range) {}

  /** The page's section PUT for the receiving side, with sets instead of arithmetic. */
  private static final class Model {
    final boolean sized;
    final int window;
    int size;
    int received;
    int handed;
    int packetEnd;
    int last;
    int asked;
    int generation = 1;
    boolean ended;
    boolean held;

    /** Whether {@link #leave} is an older worker's, until the next one's first word. */
    boolean inherited;

    final BitSet leave = new BitSet();
    final BitSet packetEnds = new BitSet();

    Model(Begin begin) {
      sized = begin.sized();
      window = begin.window();
      size = sized ? begin.size() : UNKNOWN;
      received = begin.offset();
      handed = received;
      packetEnd = received;
      last = received;
      asked = received;
      ended = sized && received == size;
    }

    boolean inPacket() {
      return received < packetEnd;
    }

    boolean whole() {
      return ended && received == size;
    }

    boolean finished() {
      return ended && handed == size;
    }

    /** Input may be read: the next header unless held, payload only when all of it has leave. */
    boolean mayTake() {
      if (!inPacket()) {
        return !held;
      }
      return leave.get(handed, packetEnd).cardinality() == packetEnd - handed;
    }

    void swap() {
      generation++;
      held = false;
      forget();
    }

    void forget() {
      leave.clear();
      inherited = false;
    }

    void succeed() {
      if (held) {
        swap();
      } else {
        generation++;
        inherited = true;
      }
    }

    void deliver(Decided decided) {
      int from = (int) decided.range().offset();
      int to = (int) decided.range().end();
      boolean joins = from <= handed || leave.get(handed, from).cardinality() == from - handed;
      if (decided.generation() == generation && joins && to > handed) {
        if (inherited && from <= handed) {
          forget();
        }
        leave.set(Math.max(from, handed), to);
      }
    }

    Optional<ErrorCode> data(int offset, int length) {
      if (ended) {
        return Optional.of(ErrorCode.BAD_PACKET);
      }
      boolean gapOrOverlap = offset != received;
      boolean beyondSize = sized && offset + length > size;
      boolean beyondWindow = offset + length > last + window;
      if (gapOrOverlap || beyondSize || beyondWindow) {
        return Optional.of(ErrorCode.BAD_OFFSET);
      }
      packetEnd = offset + length;
      return Optional.empty();
    }

    void payload(int length) {
      received += length;
      packetEnds.set(received, !inPacket());
      if (sized && received == size) {
        ended = true;
      }
    }

    void handOn(int length) {
      leave.clear(handed, handed + length);
      handed += length;
    }

    Optional<ErrorCode> end(int said) {
      if (said != received || (sized && said != size)) {
        return Optional.of(ErrorCode.BAD_OFFSET);
      }
      size = said;
      ended = true;
      return Optional.empty();
    }

    boolean checkpoint(boolean quiet) {
      boolean due =
          !whole() && !inPacket() && received > asked && (quiet || received - asked >= window / 2);
      if (due) {
        asked = received;
      }
      return due;
    }
  }

  private final List<String> trace = new ArrayList<>();

  @Provide
  Arbitrary<Begin> begins() {
    return Combinators.combine(
            Arbitraries.integers().between(0, MOST_SIZE),
            Arbitraries.integers().between(0, MOST_SIZE),
            Arbitraries.of(true, false),
            Arbitraries.integers().between(1, 30),
            Arbitraries.of(true, false))
        .as(
            (size, offset, sized, window, lags) ->
                new Begin(size, Math.min(offset, size), sized, window, lags));
  }

  @Provide
  Arbitrary<List<Input>> inputs() {
    Arbitrary<Integer> any = Arbitraries.integers().between(0, 1000);
    Arbitrary<Input> decide =
        Combinators.combine(
                Arbitraries.of(0, 0, 0, 0, -4, 4), Arbitraries.integers().between(1, 20))
            .as(Decide::new);
    Arbitrary<Input> deliver = Arbitraries.integers().between(0, 6).map(Deliver::new);
    Arbitrary<Input> data =
        Combinators.combine(
                Arbitraries.frequency(
                    Tuple.of(20, Shape.NEXT), Tuple.of(1, Shape.GAP), Tuple.of(1, Shape.OVERLAP)),
                Arbitraries.integers().between(1, 12),
                any)
            .as(Data::new);
    Arbitrary<Input> payload = Arbitraries.integers().between(1, 12).map(Payload::new);
    Arbitrary<Input> handOn = Arbitraries.integers().between(1, 12).map(HandOn::new);
    Arbitrary<Input> end = Arbitraries.of(0, 0, 0, 1, -1).map(End::new);
    Arbitrary<Input> durable = Arbitraries.integers().between(0, 5).map(Durable::new);
    Arbitrary<Input> quiet = Arbitraries.of(true, false).map(Quiet::new);
    return Arbitraries.frequencyOf(
            Tuple.of(8, decide),
            Tuple.of(8, deliver),
            Tuple.of(12, data),
            Tuple.of(16, payload),
            Tuple.of(12, handOn),
            Tuple.of(1, end),
            Tuple.of(6, durable),
            Tuple.of(6, quiet),
            Tuple.of(1, Arbitraries.just(new Hold())),
            Tuple.of(1, Arbitraries.just(new Swap())),
            Tuple.of(1, Arbitraries.just(new Succeed())),
            Tuple.of(1, Arbitraries.just(new Revoke())))
        .list()
        .ofMinSize(1)
        .ofMaxSize(100);
  }

  @Property(tries = 4000)
  void shouldDoWhatThePageSays(
      @ForAll("begins") Begin begin, @ForAll("inputs") List<Input> inputs) {
    trace.clear();
    Model model = new Model(begin);
    PutPump pump =
        new PutPump(
            begin.offset(),
            begin.sized() ? begin.size() : Progress.UNKNOWN_END,
            begin.window(),
            /* generation= */ 1);
    List<Decided> decisions = new ArrayList<>();
    compare(pump, model);
    for (Input input : inputs) {
      trace.add(input.toString());
      if (input instanceof Decide decide) {
        long from = Math.max(0, pump.position() + pump.grantedAhead() + decide.jitter());
        decisions.add(new Decided((int) pump.generation(), new Range(from, decide.length())));
      } else if (input instanceof Deliver deliver && !decisions.isEmpty()) {
        Decided decided = decisions.get(Math.max(0, decisions.size() - 1 - deliver.which()));
        pump.grant(decided.generation(), decided.range(), null);
        model.deliver(decided);
      } else if (input instanceof Data data && !model.inPacket() && pump.mayTake()) {
        if (!data(pump, model, data)) {
          return; // ERROR: the connection is no more
        }
      } else if (input instanceof Payload payload && model.inPacket() && pump.mayTake()) {
        int length = Math.min(payload.length(), model.packetEnd - model.received);
        assertThat(pump.grantedAhead()).as("bytes without leave").isGreaterThanOrEqualTo(length);
        pump.received(length);
        model.payload(length);
        if (!begin.lags()) {
          handOn(pump, model, length);
        }
      } else if (input instanceof HandOn handOn && model.handed < model.received) {
        handOn(pump, model, Math.min(handOn.length(), model.received - model.handed));
      } else if (input instanceof End end && !model.inPacket() && pump.mayTake()) {
        int said = Math.max(0, model.received + end.off());
        if (!takes(model.end(said), () -> pump.end(said), "END with Size: " + said)) {
          return;
        }
      } else if (input instanceof Durable durable) {
        durable(pump, model, Math.max(0, model.asked - durable.behind()));
      } else if (input instanceof Quiet quiet) {
        checkpoint(pump, model, quiet.quiet());
      } else if (input instanceof Hold) {
        pump.hold();
        model.held = true;
      } else if (input instanceof Swap) {
        pump.swap(pump.generation() + 1);
        model.swap();
      } else if (input instanceof Succeed) {
        pump.succeed(pump.generation() + 1);
        model.succeed();
      } else if (input instanceof Revoke) {
        pump.revoke(pump.generation());
        if (model.inherited) {
          model.forget();
        }
      }
      compare(pump, model);
    }
    finish(pump, model);
  }

  private static void handOn(PutPump pump, Model model, int length) {
    pump.handedOn(length);
    model.handOn(length);
  }

  /** Behind what was handed on it may stay a little, where more comes; never within a packet. */
  private void checkpoint(PutPump pump, Model model, boolean quiet) {
    boolean due = pump.checkpoint(quiet);
    if (model.handed == model.received) {
      assertThat(due).as("checkpoint after %s", trace).isEqualTo(model.checkpoint(quiet));
    } else if (due) {
      assertThat(pump.requested()).isGreaterThan(model.asked).isLessThanOrEqualTo(model.handed);
      model.asked = (int) pump.requested();
      assertThat(model.packetEnds.get(model.asked)).as("a packet's end after %s", trace).isTrue();
    }
  }

  /** Whether the connection goes on. */
  private boolean data(PutPump pump, Model model, Data data) {
    int offset =
        switch (data.shape()) {
          case NEXT -> model.received;
          case GAP -> model.received + 1 + data.number() % 5;
          case OVERLAP -> Math.max(0, model.received - 1 - data.number() % 5);
        };
    return takes(
        model.data(offset, data.length()), () -> pump.data(offset, data.length()), "DATA ");
  }

  @FunctionalInterface
  private interface Taking {
    void take() throws ProtocolException;
  }

  private boolean takes(Optional<ErrorCode> refusal, Taking taking, String named) {
    if (refusal.isPresent()) {
      assertThatThrownBy(taking::take, "after %s", trace)
          .isInstanceOfSatisfying(
              ProtocolException.class, e -> assertThat(e.code()).isEqualTo(refusal.get()))
          .hasMessageStartingWith(named)
          .hasMessageContaining(" (expected: ");
      return false;
    }
    try {
      taking.take();
      return true;
    } catch (ProtocolException e) {
      throw new AssertionError(named + " after " + trace, e);
    }
  }

  private void durable(PutPump pump, Model model, int offset) {
    boolean tells = offset > model.last;
    assertThat(pump.durable(offset)).as("OFFSET after %s", trace).isEqualTo(tells);
    model.last = Math.max(model.last, offset);
  }

  private void compare(PutPump pump, Model model) {
    assertThat(pump.position()).as("handed on after %s", trace).isEqualTo(model.handed);
    assertThat(pump.passing()).as("more after %s", trace).isEqualTo(model.handed < model.received);
    assertThat(pump.acked()).as("last OFFSET after %s", trace).isEqualTo(model.last);
    assertThat(pump.requested()).as("checkpoint after %s", trace).isEqualTo(model.asked);
    assertThat(pump.whole()).as("whole after %s", trace).isEqualTo(model.whole());
    assertThat(pump.finished()).as("finished after %s", trace).isEqualTo(model.finished());
    assertThat(pump.midPacket()).as("within a packet after %s", trace).isEqualTo(model.inPacket());
    assertThat(pump.standsStill())
        .as("stands still after %s", trace)
        .isEqualTo(model.held && !model.inPacket() && !pump.passing());
    if (!model.whole()) {
      assertThat(pump.mayTake()).as("may take after %s", trace).isEqualTo(model.mayTake());
    }
    assertThat(pump.position() - pump.acked()).isLessThanOrEqualTo(model.window);
    assertThat(pump.acked()).isLessThanOrEqualTo(pump.requested());
    assertThat(pump.requested()).isLessThanOrEqualTo(pump.position());
  }

  /**
   * Whatever has happened: a client that keeps to the window, and a worker, bring it to the end.
   */
  private void finish(PutPump pump, Model model) {
    trace.add("finish");
    pump.swap(pump.generation() + 1);
    model.swap();
    if (pump.passing()) {
      handOn(pump, model, model.received - model.handed);
    }
    int end = model.sized ? model.size : Math.max(MOST_SIZE, model.packetEnd);
    for (int i = 0; !model.whole(); i++) {
      assertThat(i).as("rounds without an end after %s", trace).isLessThan(1000);
      Decided all = new Decided(model.generation, new Range(model.received, 2 * MOST_SIZE));
      pump.grant(all.generation(), all.range(), null);
      model.deliver(all);
      if (model.inPacket()) {
        assertThat(pump.mayTake()).as("granted, after %s", trace).isTrue();
        int length = model.packetEnd - model.received;
        pump.received(length);
        model.payload(length);
        handOn(pump, model, length);
      } else if (model.received < end && model.received - model.last < model.window) {
        int room = model.window - (model.received - model.last);
        assertThat(data(pump, model, new Data(Shape.NEXT, Math.min(room, end - model.received), 0)))
            .isTrue();
      } else if (model.received == end) {
        assertThat(takes(model.end(end), () -> pump.end(end), "END")).isTrue();
      } else {
        // the window is full: what was received must be on its way to being acknowledged
        if (model.asked <= model.last) {
          // both are asked each time, the quiet one behind the other
          boolean dueBusy = model.checkpoint(/* quiet= */ false);
          boolean dueQuiet = model.checkpoint(/* quiet= */ true);
          boolean askedBusy = pump.checkpoint(/* quiet= */ false);
          boolean askedQuiet = pump.checkpoint(/* quiet= */ true);
          assertThat(askedBusy || askedQuiet).as("after %s", trace).isTrue();
          assertThat(askedBusy || askedQuiet).isEqualTo(dueBusy || dueQuiet);
        }
        durable(pump, model, model.asked);
      }
      compare(pump, model);
    }
  }

  // ---- messages, and what the page tells apart

  private static PutPump granted(long size, long window) {
    PutPump pump = new PutPump(0, size, window, 1);
    pump.grant(1, new Range(0, 100), null);
    return pump;
  }

  private static void receive(PutPump pump, int length) throws ProtocolException {
    pump.data(pump.position(), length);
    pump.received(length);
    pump.handedOn(length);
  }

  @Test
  void shouldNameGapOverlapSizeAndWindow() throws ProtocolException {
    PutPump pump = granted(100, 10);
    receive(pump, 5);
    assertThatThrownBy(() -> pump.data(6, 1))
        .hasMessage("DATA at 6 (expected: at 5, where the last one ended)");
    assertThatThrownBy(() -> pump.data(4, 1))
        .hasMessage("DATA at 4 (expected: at 5, where the last one ended)");
    assertThatThrownBy(() -> pump.data(5, 6))
        .hasMessage("DATA up to 11 (expected: at most 10, the Window of 10 past the last OFFSET)");
    PutPump small = granted(7, 10);
    assertThatThrownBy(() -> small.data(0, 8))
        .hasMessage("DATA up to 8 (expected: at most the Size, 7)");
  }

  @Test
  void shouldNameAnEndThatDoesNotFit() throws ProtocolException {
    PutPump pump = granted(Progress.UNKNOWN_END, 10);
    receive(pump, 5);
    assertThatThrownBy(() -> pump.end(6))
        .hasMessage("END with Size: 6 (expected: 5, the offset reached)");
    pump.end(5);
    assertThat(pump.finished()).isTrue();
    assertThatThrownBy(() -> pump.data(5, 1))
        .hasMessage("DATA at 5 behind the end (expected: none)");
  }

  @Test
  void shouldAskForACheckpointAtHalfAWindow() throws ProtocolException {
    PutPump pump = granted(100, 10);
    receive(pump, 4);
    assertThat(pump.checkpoint(/* quiet= */ false)).isFalse();
    receive(pump, 1);
    assertThat(pump.checkpoint(/* quiet= */ false)).isTrue();
    assertThat(pump.requested()).isEqualTo(5);
    assertThat(pump.checkpoint(/* quiet= */ true)).as("nothing new").isFalse();
  }

  @Test
  void shouldFinishAPacketBeforeItStandsStill() throws ProtocolException {
    PutPump pump = granted(100, 10);
    pump.data(0, 4);
    pump.received(1);
    pump.handedOn(1);
    pump.hold();
    assertThat(pump.standsStill()).isFalse();
    assertThat(pump.mayTake()).isTrue();
    pump.received(3);
    assertThat(pump.standsStill()).as("functions look at its bytes").isFalse();
    pump.handedOn(3);
    assertThat(pump.standsStill()).isTrue();
    assertThat(pump.mayTake()).isFalse();
  }

  @Test
  void shouldTakeNoPayloadOnTheWordOfAWorkerThatIsGone() throws ProtocolException {
    PutPump pump = granted(100, 10);
    pump.data(0, 4);
    pump.swap(2);
    pump.grant(1, new Range(0, 100), null);
    assertThat(pump.mayTake()).isFalse();
    pump.grant(2, new Range(0, 4), null);
    assertThat(pump.mayTake()).isTrue();
  }
}
