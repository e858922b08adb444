package io.theseus.module;

import io.theseus.channel.Admission;
import io.theseus.channel.AdmissionPolicy;
import io.theseus.channel.BackupPolicy;
import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;
import io.theseus.channel.FairnessPolicy;
import io.theseus.channel.HandOver;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.Passage;
import io.theseus.channel.PayloadUse;
import io.theseus.channel.Progress;
import io.theseus.channel.Range;
import io.theseus.channel.SessionInfo;
import io.theseus.wire.FileName;
import io.theseus.wire.Texts;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs the components of a module on recorded transfers, and sees whether they keep the rules of
 * {@link io.theseus.channel}.
 *
 * <p>Each transfer runs once as it was recorded, then once for each packet boundary, where the
 * object hands over to a second one, and once with a hand-over at all of them. The thread that
 * calls {@link #run} is the one that module code runs on, and hangs where that hangs; {@link #call}
 * then says in what.
 */
public final class Rehearsal {
  private static final Duration LEAST_DELAY = Duration.ofMillis(1);
  private static final Duration MOST_DELAY = Duration.ofMinutes(1);

  /** A range that has to wait longer than this never gets through. */
  private static final Duration PATIENCE = Duration.ofHours(1);

  /** A channel may give a byte at a time; then not all of them are asked for. */
  private static final int MOST_CALLS = 20_000;

  /** Where no single call is to blame. */
  private static final String WHOLE = "as a whole";

  private static final OptionalLong LARGE = OptionalLong.of(1L << 40);
  private static final int NOWHERE = -1;
  private static final int EVERYWHERE = Integer.MAX_VALUE;

  /**
   * A rule that was not kept.
   *
   * @param call in which, with what it was called
   * @param broken what it did, and what was expected
   */
  public record Violation(String component, String transfer, String call, String broken) {
    @Override
    public String toString() {
      return component + ", " + transfer + ": " + call + ": " + broken;
    }
  }

  /** Ends a run at the first rule that it breaks. */
  private static final class BrokenRule extends Exception {
    private static final long serialVersionUID = 1L;

    BrokenRule(String broken) {
      super(broken, null, false, false);
    }
  }

  /** A session was refused, or begins elsewhere: the rest of the transfer doesn't happen. */
  private static final class Ended extends Exception {
    private static final long serialVersionUID = 1L;

    Ended(String outcome) {
      super(outcome, null, false, false);
    }
  }

  /**
   * What came of a run.
   *
   * @param output the bytes behind a function, as far as they got
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by hand
  private record Run(String outcome, byte[] output) {}

  private final ModuleLoader loader;
  private final Set<Violation> violations = new LinkedHashSet<>();
  private final Consumer<String> calls;
  private volatile String call = "";

  /** Of a module that is loaded. */
  public Rehearsal(ModuleLoader loader) {
    this(loader, call -> {});
  }

  /**
   * Of a module that is loaded.
   *
   * @param calls hears of each call of module code before it is made
   */
  Rehearsal(ModuleLoader loader, Consumer<String> calls) {
    this.loader = loader;
    this.calls = calls;
  }

  /** The call of module code that is under way, or was the last. */
  public String call() {
    return call;
  }

  /** Runs all components on all transfers. */
  public List<Violation> run(List<RecordedTransfer> transfers) {
    for (Component component : loader.descriptor().components()) {
      run(component, transfers);
    }
    return List.copyOf(violations);
  }

  /** Runs one of them. */
  List<Violation> run(Component component, List<RecordedTransfer> transfers) {
    if (component.kind() == ComponentKind.FAIRNESS) {
      guarded(component, "shares", () -> share(component));
    } else if (component.kind() == ComponentKind.BACKUP) {
      guarded(component, "copies", () -> choose(component));
    } else {
      for (RecordedTransfer transfer : transfers) {
        guarded(component, transfer.name(), () -> runs(component, transfer));
      }
    }
    return List.copyOf(violations);
  }

  private interface Part {
    void run() throws BrokenRule;
  }

  private void guarded(Component component, String transfer, Part part) {
    call = "begins";
    try {
      part.run();
    } catch (BrokenRule e) {
      violations.add(
          new Violation(component.name(), transfer, call, String.valueOf(e.getMessage())));
    }
  }

  private void runs(Component component, RecordedTransfer transfer) throws BrokenRule {
    Run plain = once(component, transfer, NOWHERE, 1);
    call = WHOLE;
    String expected = transfer.expected().getOrDefault(component.name(), plain.outcome);
    require(
        plain.outcome.equals(expected),
        "outcome: " + plain.outcome + " (expected: " + expected + ", as recorded)");
    if (component.kind() == ComponentKind.ADMISSION) {
      return;
    }
    if (component.kind() == ComponentKind.FUNCTION) {
      same(plain, once(component, transfer, NOWHERE, 2), "where each packet comes in two parts");
    }
    for (int at = 0; at < transfer.packets().size() - 1; at++) {
      long offset = transfer.packets().get(at).end();
      same(plain, once(component, transfer, at, 1), "after a hand-over at " + offset);
    }
    same(plain, once(component, transfer, EVERYWHERE, 1), "after a hand-over at every packet");
  }

  private void same(Run plain, Run other, String when) throws BrokenRule {
    call = WHOLE;
    require(
        other.outcome.equals(plain.outcome),
        "outcome "
            + when
            + ": "
            + other.outcome
            + " (expected: "
            + plain.outcome
            + ", as without)");
    int both =
        Math.min(plain.output.length, other.output.length); // denied, it may have got less far
    require(
        Arrays.equals(plain.output, 0, both, other.output, 0, both),
        "bytes "
            + when
            + ": others from offset "
            + Arrays.mismatch(plain.output, other.output)
            + " (expected: the same, as their client may have a part of them)");
  }

  private Run once(Component component, RecordedTransfer transfer, int handOverAt, int parts)
      throws BrokenRule {
    @Nullable FunctionRun function = null;
    String outcome = RecordedTransfer.COMPLETE;
    try {
      switch (component.kind()) {
        case CHANNEL -> new ChannelRun(component.name(), transfer).run(handOverAt);
        case FUNCTION -> {
          function = new FunctionRun(component.name(), transfer, parts);
          function.run(handOverAt);
        }
        default -> admit(component.name(), transfer);
      }
    } catch (Ended e) {
      outcome = String.valueOf(e.getMessage());
    }
    return new Run(outcome, function == null ? new byte[0] : function.output());
  }

  // ---- calls of module code

  /** Calls it; what it throws, whatever that is, breaks a rule. */
  @SuppressWarnings({"PMD.AvoidCatchingThrowable", "CatchAndPrintStackTrace"})
  private <T> T call(String what, Callable<@Nullable T> code) throws BrokenRule {
    call = what;
    calls.accept(what);
    @Nullable T result;
    try {
      result = code.call();
    } catch (ModuleException e) {
      throw new BrokenRule(e.getMessage());
    } catch (Throwable e) {
      throw new BrokenRule("threw " + Thrown.text(e) + " (expected: a result)");
    }
    if (result == null) {
      throw new BrokenRule("null (expected: a result)");
    }
    return result;
  }

  private static void require(boolean kept, String broken) throws BrokenRule {
    if (!kept) {
      throw new BrokenRule(broken);
    }
  }

  private <T> T make(String component, Class<T> type) throws BrokenRule {
    return call("a new object", () -> loader.instantiate(component, type));
  }

  /** Checks what a policy or function answers; ends the run where the session doesn't go on. */
  private static void follow(Admission admission) throws BrokenRule, Ended {
    if (admission instanceof Admission.Deny deny) {
      requireReason(deny.reason());
      throw new Ended(RecordedTransfer.DENIED);
    }
    if (admission instanceof Admission.Redirect redirect) {
      String name = redirect.name();
      try {
        throw new Ended(RecordedTransfer.REDIRECTED + new FileName(name));
      } catch (IllegalArgumentException | NullPointerException e) {
        throw new BrokenRule(
            "redirect to "
                + (name == null ? "null" : Texts.quote(name))
                + " (expected: a name of the protocol)");
      }
    }
  }

  @SuppressWarnings("ConstantValue") // modules are compiled without null analysis
  private static void requireReason(@Nullable String reason) throws BrokenRule {
    require(reason != null && !reason.isBlank(), "deny: no reason (expected: one, for people)");
  }

  // ---- channel

  private final class ChannelRun {
    private final String component;
    private final RecordedTransfer transfer;
    private final SessionInfo session;
    private DataChannel channel;
    private int calls;

    ChannelRun(String component, RecordedTransfer transfer) throws BrokenRule {
      this.component = component;
      this.transfer = transfer;
      this.session = transfer.session();
      this.channel = begun();
    }

    private DataChannel begun() throws BrokenRule {
      DataChannel made = make(component, DataChannel.class);
      call(
          "begin",
          () -> {
            made.begin(session);
            return true;
          });
      return made;
    }

    void run(int handOverAt) throws BrokenRule {
      long end = session.size().orElse(Progress.UNKNOWN_END);
      long granted = 0;
      long position = 0;
      for (int i = 0; i < transfer.packets().size(); i++) {
        RecordedTransfer.Packet packet = transfer.packets().get(i);
        if (packet.offset() != position) {
          granted = packet.offset(); // the client went back
        }
        while (granted < packet.end() && calls < MOST_CALLS) {
          granted = next(new Progress(session.direction(), granted, end)).end();
        }
        position = packet.end();
        if (i == handOverAt || handOverAt == EVERYWHERE) {
          Optional<HandOver> state = call("handOver at " + position, () -> channel.handOver());
          DataChannel successor = begun();
          if (state.isPresent()) {
            call("takeOver at " + position, () -> successor.takeOver(state.get()));
          }
          channel = successor;
          granted = position;
        }
      }
    }

    private Range next(Progress progress) throws BrokenRule {
      calls++;
      Range range = call("next at " + progress.position(), () -> channel.next(progress));
      require(
          range.offset() == progress.position(),
          "offset: " + range.offset() + " (expected: " + progress.position() + ")");
      require(
          range.length() >= 1 && range.length() <= Range.MOST,
          "length: " + range.length() + " (expected: 1 to " + Range.MOST + ")");
      require(
          range.end() <= progress.end(),
          "end: " + range.end() + " (expected: at most " + progress.end() + ")");
      return range;
    }
  }

  // ---- function

  private final class FunctionRun {
    private final String component;
    private final RecordedTransfer transfer;
    private final int parts;
    private final byte[] output;
    private NetworkFunction function;
    private PayloadUse use;
    private long now = 7_000_000_000L; // it begins anywhere
    private long reached;

    FunctionRun(String component, RecordedTransfer transfer, int parts) throws BrokenRule {
      this.component = component;
      this.transfer = transfer;
      this.parts = parts;
      this.output = new byte[(int) transfer.size()];
      this.function = make(component, NetworkFunction.class);
      this.use = PayloadUse.NONE;
    }

    void run(int handOverAt) throws BrokenRule, Ended {
      begin(function);
      long granted = 0;
      long position = 0;
      for (int i = 0; i < transfer.packets().size(); i++) {
        RecordedTransfer.Packet packet = transfer.packets().get(i);
        if (packet.offset() != position) {
          granted = packet.offset(); // the client went back
        }
        while (granted < packet.end()) {
          granted += grant(granted);
        }
        pass(packet);
        position = packet.end();
        if (i == handOverAt || handOverAt == EVERYWHERE) {
          handOver(position);
          granted = position;
        }
      }
    }

    byte[] output() {
      return Arrays.copyOf(output, (int) reached);
    }

    private void begin(NetworkFunction made) throws BrokenRule, Ended {
      use = call("payloadUse", made::payloadUse);
      follow(call("begin", () -> made.begin(transfer.session())));
    }

    private void handOver(long position) throws BrokenRule, Ended {
      Optional<HandOver> state = call("handOver at " + position, () -> function.handOver());
      NetworkFunction successor = make(component, NetworkFunction.class);
      begin(successor);
      if (state.isPresent()) {
        call("takeOver at " + position, () -> successor.takeOver(state.get()));
      }
      function = successor;
    }

    /** Returns how many bytes are granted. */
    private int grant(long offset) throws BrokenRule, Ended {
      Range range = new Range(offset, decide(offset));
      call(
          "passed at " + offset,
          () -> {
            function.passed(range);
            return true;
          });
      return range.length();
    }

    /** Returns how many bytes may pass. */
    private int decide(long offset) throws BrokenRule, Ended {
      Range range = new Range(offset, (int) Math.min(Range.MOST, transfer.size() - offset));
      Duration waited = Duration.ZERO;
      while (true) {
        Passage passage = call("decide at " + offset, () -> function.decide(range, now));
        if (passage instanceof Passage.Pass) {
          return range.length();
        } else if (passage instanceof Passage.Limit limit) {
          require(
              limit.length() >= 1 && limit.length() <= range.length(),
              "limit: " + limit.length() + " (expected: 1 to " + range.length() + ")");
          return limit.length();
        } else if (passage instanceof Passage.Delay delay) {
          Duration time = call("decide at " + offset, delay::time);
          require(
              time.compareTo(LEAST_DELAY) >= 0 && time.compareTo(MOST_DELAY) <= 0,
              "delay: " + time + " (expected: " + LEAST_DELAY + " to " + MOST_DELAY + ")");
          now += time.toNanos();
          waited = waited.plus(time);
          require(
              waited.compareTo(PATIENCE) < 0,
              "delays: " + waited + " for one range (expected: that it gets through)");
        } else if (passage instanceof Passage.Deny deny) {
          requireReason(deny.reason());
          throw new Ended(RecordedTransfer.DENIED);
        }
      }
    }

    private void pass(RecordedTransfer.Packet packet) throws BrokenRule, Ended {
      int half = packet.length() / parts;
      for (int part = 0; part < parts; part++) {
        long offset = packet.offset() + (long) part * half;
        int length = part == parts - 1 ? (int) (packet.end() - offset) : half;
        if (length > 0) {
          pass(offset, length);
        }
      }
    }

    private void pass(long offset, int length) throws BrokenRule, Ended {
      byte[] bytes = transfer.content(offset, length);
      if (use != PayloadUse.NONE) {
        ByteBuffer memory = ByteBuffer.wrap(bytes);
        ByteBuffer view = use == PayloadUse.TRANSFORM ? memory : memory.asReadOnlyBuffer();
        PayloadUse again = call("payloadUse", () -> function.payloadUse());
        require(again == use, "payloadUse: " + again + " (expected: " + use + ", as before)");
        Optional<String> refusal =
            call("payload at " + offset, () -> function.payload(offset, view));
        require(
            view.limit() == length,
            "limit of the bytes: " + view.limit() + " (expected: " + length + ", as many as came)");
        if (refusal.isPresent()) {
          requireReason(refusal.get());
          throw new Ended(RecordedTransfer.DENIED);
        }
      }
      int begin = (int) offset;
      int known = (int) Math.max(0, Math.min(reached - offset, length));
      require(
          Arrays.equals(output, begin, begin + known, bytes, 0, known),
          "bytes: others than the first time (expected: the same, for a client that went back)");
      System.arraycopy(bytes, 0, output, begin, length);
      reached = Math.max(reached, offset + length);
    }
  }

  // ---- policies

  private void admit(String component, RecordedTransfer transfer) throws BrokenRule, Ended {
    AdmissionPolicy policy = make(component, AdmissionPolicy.class);
    Admission first = call("admit", () -> policy.admit(transfer.session(), 0));
    // a session that runs is asked about again, and others beside it
    for (int others : new int[] {0, 1, 10_000}) {
      try {
        follow(call("admit beside " + others, () -> policy.admit(transfer.session(), others)));
      } catch (Ended e) {
        // as it likes
      }
    }
    follow(first);
  }

  private void share(Component component) throws BrokenRule {
    FairnessPolicy policy = make(component.name(), FairnessPolicy.class);
    long[][] wants = {
      {},
      {1},
      {1_000_000},
      {5, 5},
      {1, 1_000_000_000_000L},
      {10, 20, 30, 40, 50},
      {7, 7, 7, 7, 7, 7}
    };
    for (long[] wanted : wants) {
      for (long budget : new long[] {0, 1, 3, 100, 1_000_000, Long.MAX_VALUE / 4}) {
        share(policy, budget, demands(wanted));
      }
    }
  }

  private static List<FairnessPolicy.Demand> demands(long[] wanted) {
    List<FairnessPolicy.Demand> demands = new ArrayList<>();
    for (int i = 0; i < wanted.length; i++) {
      demands.add(
          new FairnessPolicy.Demand(
              new SessionInfo(
                  new UUID(0, i),
                  i % 2 == 0 ? Direction.GET : Direction.PUT,
                  "file-" + i,
                  OptionalLong.empty(),
                  "192.0.2." + i),
              wanted[i]));
    }
    return demands;
  }

  private void share(FairnessPolicy policy, long budget, List<FairnessPolicy.Demand> demands)
      throws BrokenRule {
    List<Long> wanted = demands.stream().map(FairnessPolicy.Demand::wanted).toList();
    long[] shares =
        call(
            "share of " + budget + " among " + wanted,
            () -> policy.share(budget, List.copyOf(demands)));
    require(
        shares.length == demands.size(),
        "shares: " + shares.length + " (expected: " + demands.size() + ", one for each)");
    long sum = 0;
    for (int i = 0; i < shares.length; i++) {
      require(
          shares[i] >= 0 && shares[i] <= wanted.get(i),
          "share: " + shares[i] + " (expected: 0 to " + wanted.get(i) + ")");
      sum += shares[i];
    }
    require(sum <= budget, "together: " + sum + " (expected: at most " + budget + ")");
  }

  private void choose(Component component) throws BrokenRule {
    BackupPolicy policy = make(component.name(), BackupPolicy.class);
    for (int count = 1; count <= 4; count++) {
      for (String racks : new String[] {"", "r", "ab"}) {
        for (OptionalLong size : List.of(OptionalLong.empty(), OptionalLong.of(0), LARGE)) {
          List<BackupPolicy.Candidate> left = candidates(count, racks);
          List<BackupPolicy.Candidate> copies = new ArrayList<>();
          while (!left.isEmpty()) {
            String rack = racks.isEmpty() ? "" : racks.substring(0, 1);
            BackupPolicy.Upload upload =
                new BackupPolicy.Upload(
                    new UUID(0, count), "recorded/file", size, "node-0", rack, copies);
            BackupPolicy.Candidate chosen = choose(policy, upload, left);
            copies.add(chosen);
            left.remove(chosen);
          }
        }
      }
    }
  }

  private static List<BackupPolicy.Candidate> candidates(int count, String racks) {
    List<BackupPolicy.Candidate> candidates = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      String rack =
          racks.isEmpty() ? "" : racks.substring(i % racks.length(), i % racks.length() + 1);
      candidates.add(
          new BackupPolicy.Candidate(
              "node-" + i, rack, i * LARGE.getAsLong(), 10 - i, i % 3, /* keeps= */ i == 2));
    }
    return candidates;
  }

  private BackupPolicy.Candidate choose(
      BackupPolicy policy, BackupPolicy.Upload upload, List<BackupPolicy.Candidate> candidates)
      throws BrokenRule {
    List<String> nodes = candidates.stream().map(BackupPolicy.Candidate::node).toList();
    String node = call("choose of " + nodes, () -> policy.choose(upload, List.copyOf(candidates)));
    require(nodes.contains(node), "node: " + Texts.quote(node) + " (expected: of " + nodes + ")");
    return candidates.get(nodes.indexOf(node));
  }
}
