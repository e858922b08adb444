package io.theseus.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random conversations: {@link GetPump} against a slow model that is the page, byte by byte. */
@Tag("once") // says nothing of a version of Java
class GetPumpTest {
  private static final int MOST_SIZE = 48;
  private static final int UNKNOWN = -1;

  /** What happens to a GET; numbers are folded into what makes sense when it happens. */
  private sealed interface Input {}

  /** A worker of the moment decides; the grant arrives later, or never. */
  private record Decide(int jitter, int length) implements Input {}

  private record Deliver(int which) implements Input {}

  private record Offset(Kind kind, int number) implements Input {}

  private record Hold() implements Input {}

  private record Swap() implements Input {}

  private record Succeed() implements Input {}

  private record Revoke() implements Input {}

  private record Restart(int size) implements Input {}

  private record End() implements Input {}

  private record Produce(int bytes) implements Input {}

  private record Send(int most) implements Input {}

  private enum Kind {
    ACKNOWLEDGES,
    EQUAL,
    BELOW,
    BEYOND_SENT,
    POSITION,
    ZERO,
    SIZE,
    BEYOND_SIZE
  }

  private record Begin(
      int size, int offset, boolean live, @Nullable Integer window, int maxData, int most) {
    OptionalLong windowBytes() {
      return window == null ? OptionalLong.empty() : OptionalLong.of(window);
    }
  }

  private record Decided(int place, long generation, long epoch, Range range) {}

  /**
   * The page's section GET, with sets and lists instead of arithmetic.
   *
   * <p>A place is a stretch between two events that void grants: a seek, a swap, a restart.
   */
  private static final class Model {
    final @Nullable Integer window;
    final boolean live;
    int size;
    int last;
    int sentTo;
    int place;
    boolean held;
    boolean restarting;
    boolean over;

    /** Whether {@link #leave} is an older worker's, until the next one's first word. */
    boolean inherited;

    /** Bytes that the worker of this place gave leave to send. */
    final BitSet leave = new BitSet();

    /** Without a window: OFFSETs whose DATA is owed. */
    final Deque<Integer> asked = new ArrayDeque<>();

    Model(Begin begin) {
      this.window = begin.window();
      this.live = begin.live();
      this.size = begin.live() ? UNKNOWN : begin.size();
      this.last = begin.offset();
      this.sentTo = begin.offset();
      this.over = last == size;
      if (window == null) {
        asked.add(last);
      }
    }

    void voidGrants() {
      place++;
      forget();
    }

    void forget() {
      leave.clear();
      inherited = false;
    }

    void succeed() {
      if (held) {
        voidGrants();
        held = false;
      } else {
        place++;
        inherited = true;
      }
    }

    void deliver(Decided decided) {
      if (decided.place() != place || restarting) {
        return;
      }
      int from = (int) decided.range().offset();
      boolean joins = from <= sentTo || leave.get(sentTo, from).cardinality() == from - sentTo;
      if (inherited && from <= sentTo && decided.range().end() > sentTo) {
        forget();
      }
      if (joins) {
        leave.set(Math.max(from, sentTo), Math.max(sentTo, (int) decided.range().end()));
      }
    }

    /** Gives the refusal that is due, if any. */
    boolean refuses(int offset) {
      if (restarting) {
        return false;
      }
      if (size != UNKNOWN && offset > size) {
        return true;
      }
      if (!live) {
        return false;
      }
      boolean acknowledges = offset >= last && offset <= sentTo;
      return window == null ? !acknowledges || offset != sentTo || !asked.isEmpty() : !acknowledges;
    }

    void offset(int offset) {
      if (restarting) {
        if (offset == 0) {
          restarting = false;
          seek(0);
          over = size == 0;
          if (window == null && !over) {
            asked.add(0);
          }
        }
        return;
      }
      if (window == null) {
        asked.add(offset);
        if (asked.size() == 1 && offset == size) {
          finish();
        }
        return;
      }
      if (offset == size) {
        finish();
      } else if (offset > last && offset <= sentTo) {
        last = offset;
      } else if (offset != last) {
        seek(offset);
      }
    }

    private void finish() {
      last = size;
      over = true;
      asked.clear();
    }

    private void seek(int offset) {
      last = offset;
      sentTo = offset;
      voidGrants();
    }

    /** The length of the DATA that goes out now; 0 for none. */
    int send(int most) {
      if (held || restarting || over) {
        return 0;
      }
      if (window == null) {
        Integer wanted = asked.peek();
        if (wanted == null) {
          return 0;
        }
        if (wanted == size) {
          finish();
          return 0;
        }
        if (wanted != sentTo) {
          seek(wanted);
          return 0;
        }
        last = wanted;
      }
      int length = 0;
      while (length < most
          && leave.get(sentTo + length)
          && (size == UNKNOWN || sentTo + length < size)
          && (window == null || sentTo + length < last + window)) {
        length++;
      }
      if (length > 0) {
        sentTo += length;
        asked.poll();
      }
      return length;
    }
  }

  private final List<String> trace = new ArrayList<>();

  @Provide
  Arbitrary<Begin> begins() {
    Arbitrary<@Nullable Integer> windows = Arbitraries.integers().between(1, 20).injectNull(0.35);
    return Combinators.combine(
            Arbitraries.integers().between(0, MOST_SIZE),
            Arbitraries.integers().between(0, MOST_SIZE),
            Arbitraries.of(false, false, true),
            windows,
            Arbitraries.integers().between(1, 9))
        .as(
            (size, offset, live, window, maxData) ->
                new Begin(size, live ? 0 : Math.min(size, offset), live, window, maxData, maxData));
  }

  @Provide
  Arbitrary<List<Input>> inputs() {
    Arbitrary<Integer> any = Arbitraries.integers().between(0, 1000);
    Arbitrary<Input> decide =
        Combinators.combine(
                Arbitraries.of(0, 0, 0, 0, -3, 3), Arbitraries.integers().between(1, 16))
            .as(Decide::new);
    Arbitrary<Input> deliver = Arbitraries.integers().between(0, 8).map(Deliver::new);
    Arbitrary<Input> send = Arbitraries.integers().between(1, 12).map(Send::new);
    Arbitrary<Input> offset = Combinators.combine(Arbitraries.of(Kind.class), any).as(Offset::new);
    Arbitrary<Input> produce = Arbitraries.integers().between(1, 9).map(Produce::new);
    Arbitrary<Input> restart = Arbitraries.integers().between(0, MOST_SIZE).map(Restart::new);
    return Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(6, decide),
            net.jqwik.api.Tuple.of(8, deliver),
            net.jqwik.api.Tuple.of(10, send),
            net.jqwik.api.Tuple.of(6, offset),
            net.jqwik.api.Tuple.of(3, produce),
            net.jqwik.api.Tuple.of(1, Arbitraries.just(new Hold())),
            net.jqwik.api.Tuple.of(2, Arbitraries.just(new Swap())),
            net.jqwik.api.Tuple.of(2, Arbitraries.just(new Succeed())),
            net.jqwik.api.Tuple.of(1, Arbitraries.just(new Revoke())),
            net.jqwik.api.Tuple.of(1, restart),
            net.jqwik.api.Tuple.of(1, Arbitraries.just(new End())))
        .list()
        .ofMinSize(1)
        .ofMaxSize(80);
  }

  @Property(tries = 4000)
  void shouldDoWhatThePageSays(
      @ForAll("begins") Begin begin, @ForAll("inputs") List<Input> inputs) {
    run(begin, inputs);
  }

  private void run(Begin begin, List<Input> inputs) {
    trace.clear();
    Model model = new Model(begin);
    long end = begin.live() ? Progress.UNKNOWN_END : begin.size();
    GetPump pump =
        new GetPump(
            begin.offset(),
            end,
            !begin.live(),
            begin.windowBytes(),
            begin.maxData(),
            /* generation= */ 1);
    List<Decided> decisions = new ArrayList<>();
    int produced = 0;
    compare(pump, model);
    for (Input input : inputs) {
      if (model.over) {
        break; // COMPLETE is out: the session is no more
      }
      trace.add(input.toString());
      if (input instanceof Decide decide) {
        long from = Math.max(0, pump.position() + pump.grantedAhead() + decide.jitter());
        decisions.add(
            new Decided(
                model.place, pump.generation(), pump.epoch(), new Range(from, decide.length())));
      } else if (input instanceof Deliver deliver && !decisions.isEmpty()) {
        // the youngest first, mostly; old ones linger, as from workers that are gone
        int which = Math.max(0, decisions.size() - 1 - deliver.which());
        Decided decided = decisions.get(which);
        pump.grant(decided.generation(), decided.epoch(), decided.range(), null);
        model.deliver(decided);
      } else if (input instanceof Offset offset) {
        if (!offset(pump, model, offset)) {
          return; // ERROR: the connection is no more
        }
      } else if (input instanceof Hold) {
        pump.hold();
        model.held = true;
      } else if (input instanceof Swap) {
        pump.swap(pump.generation() + 1);
        model.voidGrants();
        model.held = false;
      } else if (input instanceof Succeed) {
        pump.succeed(pump.generation() + 1);
        model.succeed();
      } else if (input instanceof Revoke) {
        pump.revoke(pump.generation());
        if (model.inherited) {
          model.forget();
        }
      } else if (input instanceof Restart restart && !begin.live()) {
        pump.restart(restart.size(), pump.generation() + 1);
        model.voidGrants();
        model.size = restart.size();
        model.restarting = true;
        model.asked.clear();
      } else if (input instanceof Produce produce) {
        produced = Math.min(MOST_SIZE, produced + produce.bytes());
      } else if (input instanceof End && begin.live() && model.size == UNKNOWN) {
        // a source ends where it has got, which is at or behind all that was sent
        produced = Math.max(produced, model.sentTo);
        pump.end(produced);
        model.size = produced;
        model.over = model.last == produced && model.sentTo == produced;
      } else if (input instanceof Send send) {
        int there = begin.live() ? Math.max(0, produced - model.sentTo) : Integer.MAX_VALUE;
        send(pump, model, Math.min(send.most(), there), begin.maxData());
      }
      compare(pump, model);
    }
    finish(begin, pump, model);
  }

  /** Whether the session goes on. */
  private boolean offset(GetPump pump, Model model, Offset offset) {
    int top = model.size == UNKNOWN ? MOST_SIZE : model.size;
    int number =
        switch (offset.kind()) {
          case ACKNOWLEDGES -> between(model.last, model.sentTo, offset.number());
          case EQUAL -> model.last;
          case BELOW -> between(0, model.last, offset.number());
          case BEYOND_SENT -> between(model.sentTo, top, offset.number());
          case POSITION -> model.sentTo;
          case ZERO -> 0;
          case SIZE -> top;
          case BEYOND_SIZE -> top + 1 + offset.number();
        };
    if (pump.saturated()) {
      return true; // the connection reads no further
    }
    boolean refused = model.refuses(number);
    if (refused) {
      assertThatThrownBy(() -> pump.offset(number), "OFFSET(%s) after %s", number, trace)
          .isInstanceOfSatisfying(
              ProtocolException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_OFFSET))
          .hasMessageContaining("OFFSET: " + number + " (expected: ")
          .hasMessageMatching(".*\\(expected: [^)]*\\d+[^)]*\\)");
      return false;
    }
    try {
      pump.offset(number);
    } catch (ProtocolException e) {
      throw new AssertionError("OFFSET(" + number + ") after " + trace, e);
    }
    model.offset(number);
    return true;
  }

  private static int between(int least, int most, int number) {
    return most <= least ? least : least + number % (most - least + 1);
  }

  private void send(GetPump pump, Model model, int most, int maxData) {
    long at = pump.position();
    int length = pump.next(most);
    boolean wasAsked = model.window != null || !model.asked.isEmpty();
    int from = model.sentTo;
    Integer owed = model.asked.peek();
    int expected = model.send(Math.min(most, maxData));
    assertThat(length).as("DATA after %s", trace).isEqualTo(expected);
    if (length == 0) {
      return;
    }
    // the page's promises, said once more without the model's state
    assertThat(at).as("begins where the last one ended, or the seek pointed").isEqualTo(from);
    assertThat(wasAsked).as("nothing unasked").isTrue();
    if (model.window == null) {
      assertThat(at).isEqualTo(Objects.requireNonNull(owed).longValue());
    } else {
      assertThat(at + length).isLessThanOrEqualTo(pump.acked() + model.window);
    }
    assertThat(length).isBetween(1, Math.min(most, maxData));
    assertThat(length).as("nothing outside grants").isLessThanOrEqualTo((int) pump.grantedAhead());
    pump.sent(length);
  }

  private void compare(GetPump pump, Model model) {
    assertThat(pump.complete()).as("complete after %s", trace).isEqualTo(model.over);
    if (model.over) {
      return;
    }
    assertThat(pump.position()).as("position after %s", trace).isEqualTo(model.sentTo);
    assertThat(pump.acked()).as("last OFFSET after %s", trace).isEqualTo(model.last);
    assertThat(pump.restarting()).as("restarting after %s", trace).isEqualTo(model.restarting);
    assertThat(pump.held()).as("held after %s", trace).isEqualTo(model.held);
    assertThat(pump.end()).isEqualTo(model.size == UNKNOWN ? Progress.UNKNOWN_END : model.size);
  }

  /** Whatever has happened: a client that acknowledges and a worker that grants get it all. */
  private void finish(Begin begin, GetPump pump, Model model) {
    trace.add("finish");
    if (model.restarting) {
      offset(pump, model, new Offset(Kind.ZERO, 0));
    }
    pump.swap(pump.generation() + 1);
    model.voidGrants();
    model.held = false;
    if (model.size == UNKNOWN) {
      pump.end(Math.max(MOST_SIZE, model.sentTo));
      model.size = Math.max(MOST_SIZE, model.sentTo);
      model.over = model.last == model.size && model.sentTo == model.size;
    }
    for (int i = 0; !pump.complete(); i++) {
      assertThat(i).as("rounds without an end after %s", trace).isLessThan(2000);
      Decided all =
          new Decided(
              model.place,
              pump.generation(),
              pump.epoch(),
              new Range(pump.position(), Math.max(1, model.size - (int) pump.position())));
      pump.grant(all.generation(), all.epoch(), all.range(), null);
      model.deliver(all);
      long before = pump.position();
      long epoch = pump.epoch();
      send(pump, model, begin.most(), begin.maxData());
      compare(pump, model);
      boolean waits = pump.position() == before && pump.epoch() == epoch;
      if (waits && !pump.complete()) {
        offset(pump, model, new Offset(Kind.POSITION, 0));
        compare(pump, model);
      }
    }
    assertThat(pump.acked()).isEqualTo(model.size);
  }

  // ---- what the page tells apart, one by one

  private static GetPump windowed(long size) {
    GetPump pump = new GetPump(0, size, /* rewindable= */ true, OptionalLong.of(10), 4, 1);
    pump.grant(1, 0, new Range(0, (int) size), null);
    return pump;
  }

  private static List<Long> starts(GetPump pump) {
    List<Long> starts = new ArrayList<>();
    int length;
    while ((length = pump.next(100)) > 0) {
      starts.add(pump.position());
      pump.sent(length);
    }
    return starts;
  }

  @Test
  void shouldFillTheWindowAndNoMore() throws ProtocolException {
    GetPump pump = windowed(100);
    assertThat(starts(pump)).containsExactly(0L, 4L, 8L);
    assertThat(pump.position()).isEqualTo(10);
    pump.offset(5);
    assertThat(starts(pump)).containsExactly(10L, 14L);
    assertThat(pump.position()).isEqualTo(15);
  }

  @Test
  void shouldGoBackToAByteThatWasNotAcknowledgedByTwoOffsets() throws ProtocolException {
    GetPump pump = windowed(100);
    starts(pump);
    pump.offset(7);
    pump.offset(6);
    assertThat(pump.epoch()).isEqualTo(1);
    assertThat(pump.next(100)).as("nothing without a grant for the new place").isZero();
    pump.grant(1, 0, new Range(6, 50), null);
    assertThat(pump.next(100)).as("a stale grant moves nothing").isZero();
    pump.grant(1, 1, new Range(6, 50), null);
    assertThat(starts(pump)).startsWith(6L);
  }

  @Test
  void shouldAnswerEachOffsetByOneDataWithoutAWindow() throws ProtocolException {
    GetPump pump = new GetPump(0, 100, /* rewindable= */ true, OptionalLong.empty(), 4, 1);
    pump.grant(1, 0, new Range(0, 100), null);
    assertThat(starts(pump)).containsExactly(0L);
    pump.offset(4);
    pump.offset(8);
    assertThat(starts(pump)).containsExactly(4L, 8L);
    pump.offset(8);
    assertThat(pump.next(100)).isZero();
    pump.grant(1, pump.epoch(), new Range(8, 8), null);
    assertThat(starts(pump)).containsExactly(8L);
  }

  @Test
  void shouldDropEveryOffsetBehindRestartUntilZero() throws ProtocolException {
    GetPump pump = windowed(100);
    starts(pump);
    pump.restart(50, 2);
    pump.offset(99);
    pump.offset(7);
    assertThat(pump.restarting()).isTrue();
    pump.grant(2, 0, new Range(0, 50), null);
    assertThat(pump.next(100)).isZero();
    pump.offset(0);
    pump.grant(2, pump.epoch(), new Range(0, 50), null);
    assertThat(starts(pump)).startsWith(0L);
  }

  @Test
  void shouldCompleteWhenNothingIsLeft() {
    assertThat(new GetPump(7, 7, true, OptionalLong.of(1), 1, 1).complete()).isTrue();
    assertThat(new GetPump(0, 0, true, OptionalLong.empty(), 1, 1).complete()).isTrue();
  }
}
