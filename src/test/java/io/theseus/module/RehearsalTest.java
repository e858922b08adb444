package io.theseus.module;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every rule of the interfaces, broken once. */
class RehearsalTest {
  private static List<String> broken(String kind, String body, List<RecordedTransfer> transfers)
      throws Exception {
    String source =
        """
        import io.theseus.channel.*;
        import java.nio.ByteBuffer;
        import java.time.Duration;
        import java.util.*;
        public final class Tried implements %s {
          %s
        }
        """
            .formatted(kind, body);
    try (ModuleLoader loader = ModuleLoader.loadOwn(TestModules.compile("Tried", "1", source))) {
      return new Rehearsal(loader)
          .run(transfers).stream().map(Rehearsal.Violation::toString).toList();
    }
  }

  private static List<String> broken(String kind, String body) throws Exception {
    return broken(kind, body, RecordedTransfer.standard());
  }

  private static final String NEXT =
      "@Override public Range next(Progress p) { return new Range(p.position(), (int)"
          + " Math.min(Range.MOST, p.end() - p.position())); } ";

  @Test
  void shouldAcceptWhatKeepsTheRules() throws Exception {
    assertThat(broken("DataChannel", NEXT)).isEmpty();
    assertThat(
            broken(
                "DataChannel",
                """
                private long served;
                @Override public Range next(Progress p) {
                  served++;
                  return new Range(p.position(), 1);
                }
                @Override public Optional<HandOver> handOver() {
                  return Optional.of(new HandOver(1, new byte[HandOver.MOST]));
                }
                @Override public boolean takeOver(HandOver state) { return state.version() == 1; }
                """))
        .isEmpty();
    assertThat(broken("NetworkFunction", "")).isEmpty();
    assertThat(
            broken(
                "NetworkFunction",
                """
                @Override public PayloadUse payloadUse() { return PayloadUse.TRANSFORM; }
                @Override public Passage decide(Range range, long nowNanos) {
                  return range.offset() % 3 == 0 ? Passage.limit(1) : Passage.pass();
                }
                @Override public Optional<String> payload(long offset, ByteBuffer bytes) {
                  for (int i = bytes.position(); i < bytes.limit(); i++) {
                    bytes.put(i, (byte) (bytes.get(i) ^ (offset + i)));
                  }
                  return Optional.empty();
                }
                """))
        .isEmpty();
    assertThat(
            broken(
                "AdmissionPolicy",
                "@Override public Admission admit(SessionInfo s, int others) { return others > 3 ?"
                    + " Admission.deny(\"full\") : Admission.redirect(\"a/\" + s.name()); }"))
        .isEmpty();
    assertThat(
            broken(
                "FairnessPolicy",
                "@Override public long[] share(long budget, List<Demand> demands) { return new"
                    + " long[demands.size()]; }"))
        .isEmpty();
  }

  @Test
  void shouldLetABackupPolicyPassThatKeepsTheRules() throws Exception {
    assertThat(
            broken(
                "BackupPolicy",
                "@Override public String choose(Upload u, List<Candidate> c) { return"
                    + " c.get(u.copies().size() % c.size()).node(); }"))
        .isEmpty();
  }

  static Stream<Arguments> broken() {
    String channel = "DataChannel";
    String function = "NetworkFunction";
    String admission = "AdmissionPolicy";
    String fairness = "FairnessPolicy";
    String backup = "BackupPolicy";
    String next = "@Override public Range next(Progress p) { return %s; }";
    String decide = "@Override public Passage decide(Range range, long nowNanos) { return %s; }";
    String begin = "@Override public Admission begin(SessionInfo session) { return %s; }";
    String payload =
        "@Override public PayloadUse payloadUse() { return PayloadUse.%s; } @Override public"
            + " Optional<String> payload(long offset, ByteBuffer bytes) { %s }";
    String admit = "@Override public Admission admit(SessionInfo s, int others) { return %s; }";
    String choose = "@Override public String choose(Upload u, List<Candidate> c) { return %s; }";
    String share =
        "@Override public long[] share(long budget, List<Demand> demands) { return %s; }";
    return Stream.of(
        Arguments.of(channel, next.formatted("null"), "next at 0: null (expected: a result)"),
        Arguments.of(
            channel,
            next.formatted("new Range(p.position() + 1, 1)"),
            "next at 0: offset: 1 (expected: 0)"),
        Arguments.of(
            channel,
            next.formatted("new Range(p.position(), 0)"),
            "next at 0: length: 0 (expected: 1 to 8388608)"),
        Arguments.of(
            channel,
            next.formatted("new Range(p.position(), Range.MOST + 1)"),
            "next at 0: length: 8388609 (expected: 1 to 8388608)"),
        Arguments.of(
            channel,
            next.formatted("new Range(p.position(), Range.MOST)"),
            "an upload of one byte: next at 0: end: 8388608 (expected: at most 1)"),
        Arguments.of(
            channel,
            next.formatted("new Range(p.position() / 0, 1)"),
            "next at 0: threw java.lang.ArithmeticException: / by zero (expected: a result)"),
        Arguments.of(
            channel,
            "private long reached; @Override public Range next(Progress p) { long at = reached;"
                + " reached += 1; return new Range(at, 1); }",
            "a download in small packets: next at 64: offset: 0 (expected: 64)"),
        Arguments.of(
            channel,
            NEXT + "@Override public Optional<HandOver> handOver() { return null; }",
            "an upload: handOver at 262144: null (expected: a result)"),
        Arguments.of(
            channel,
            NEXT
                + "@Override public Optional<HandOver> handOver() { return Optional.of(new"
                + " HandOver(1, new byte[HandOver.MOST + 1])); }",
            "threw java.lang.IllegalArgumentException: state: 65537 bytes (expected: at most"
                + " 65536)"),
        Arguments.of(
            channel,
            NEXT
                + "@Override public Optional<HandOver> handOver() { return Optional.of(new"
                + " HandOver(1, new byte[0])); } @Override public boolean takeOver(HandOver state) {"
                + " throw new IllegalStateException(); }",
            "an upload: takeOver at 262144: threw java.lang.IllegalStateException"),
        Arguments.of(
            channel,
            NEXT + "@Override public void begin(SessionInfo s) { throw new StackOverflowError(); }",
            "begin: threw java.lang.StackOverflowError (expected: a result)"),
        Arguments.of(
            channel,
            "public Tried() { throw new IllegalStateException(\"no\"); } " + NEXT,
            "a new object: component tried@1#tried: class Tried: its constructor threw"
                + " java.lang.IllegalStateException: no"),
        Arguments.of(function, decide.formatted("null"), "decide at 0: null (expected: a result)"),
        Arguments.of(
            function,
            decide.formatted("Passage.limit(0)"),
            "an upload: decide at 0: limit: 0 (expected: 1 to 2048007)"),
        Arguments.of(
            function,
            decide.formatted("Passage.limit(range.length() + 1)"),
            "an upload: decide at 0: limit: 2048008 (expected: 1 to 2048007)"),
        Arguments.of(
            function,
            decide.formatted("Passage.delay(Duration.ofNanos(1))"),
            "decide at 0: delay: PT0.000000001S (expected: PT0.001S to PT1M)"),
        Arguments.of(
            function,
            decide.formatted("Passage.delay(Duration.ofSeconds(61))"),
            "decide at 0: delay: PT1M1S (expected: PT0.001S to PT1M)"),
        Arguments.of(
            function,
            decide.formatted("Passage.delay(Duration.ofMinutes(1))"),
            "decide at 0: delays: PT1H for one range (expected: that it gets through)"),
        Arguments.of(
            function,
            decide.formatted("Passage.deny(\" \")"),
            "decide at 0: deny: no reason (expected: one, for people)"),
        Arguments.of(
            function,
            begin.formatted("Admission.deny(null)"),
            "begin: deny: no reason (expected: one, for people)"),
        Arguments.of(
            function,
            begin.formatted("Admission.redirect(\"../a\")"),
            "begin: redirect to \"../a\" (expected: a name of the protocol)"),
        Arguments.of(
            function,
            "private int calls; @Override public PayloadUse payloadUse() { return calls++ > 3 ?"
                + " PayloadUse.NONE : PayloadUse.INSPECT; }",
            "payloadUse: payloadUse: NONE (expected: INSPECT, as before)"),
        Arguments.of(
            function,
            payload.formatted("INSPECT", "bytes.put(0, (byte) 0); return Optional.empty();"),
            "payload at 0: threw java.nio.ReadOnlyBufferException (expected: a result)"),
        Arguments.of(
            function,
            payload.formatted("TRANSFORM", "bytes.limit(0); return Optional.empty();"),
            "an upload: payload at 0: limit of the bytes: 0 (expected: 262144, as many as came)"),
        Arguments.of(
            function,
            payload.formatted("INSPECT", "return Optional.of(\"\");"),
            "payload at 0: deny: no reason (expected: one, for people)"),
        Arguments.of(
            function,
            "private int calls; "
                + payload.formatted(
                    "TRANSFORM", "bytes.put(0, (byte) calls++); return Optional.empty();"),
            "a download that went back: payload at 1048576: bytes: others than the first time"
                + " (expected: the same, for a client that went back)"),
        Arguments.of(
            function,
            "private byte first; "
                + payload.formatted(
                    "TRANSFORM",
                    "if (offset == 0) { first = bytes.get(0); } else { bytes.put(0, (byte) 1); }"
                        + " return Optional.empty();"),
            "an upload: as a whole: bytes where each packet comes in two parts: others from"
                + " offset 131072 (expected: the same, as their client may have a part of them)"),
        Arguments.of(
            function,
            "private boolean begun; "
                + payload.formatted(
                    "TRANSFORM",
                    "if (offset == 0) { begun = true; } if (begun) { for (int i = 0; i <"
                        + " bytes.limit(); i++) { bytes.put(i, (byte) 0); } } return"
                        + " Optional.empty();"),
            "bytes after a hand-over at 262144: others from offset 262145 (expected: the same, as"
                + " their client may have a part of them)"),
        Arguments.of(
            function,
            "private boolean known; @Override public Passage decide(Range r, long n) { known |="
                + " r.offset() == 0; return known ? Passage.pass() : Passage.deny(\"who\"); }",
            "outcome after a hand-over at 262144: denied (expected: complete, as without)"),
        Arguments.of(admission, admit.formatted("null"), "admit: null (expected: a result)"),
        Arguments.of(
            admission,
            admit.formatted("others > 0 ? Admission.deny(\"\") : Admission.admit()"),
            "admit beside 1: deny: no reason (expected: one, for people)"),
        Arguments.of(
            admission,
            admit.formatted("Admission.redirect(\"/\" + s.name())"),
            "redirect to \"/recorded/file\" (expected: a name of the protocol)"),
        Arguments.of(
            backup, choose.formatted("null"), "choose of [node-1]: null (expected: a result)"),
        Arguments.of(
            backup,
            choose.formatted("u.node()"),
            "choose of [node-1]: node: \"node-0\" (expected: of [node-1])"),
        Arguments.of(
            backup,
            choose.formatted("\"node-1\""),
            "choose of [node-2]: node: \"node-1\" (expected: of [node-2])"),
        Arguments.of(
            backup,
            choose.formatted(
                "c.stream().filter(each -> !each.rack().equals(u.rack())).findAny().get().node()"),
            "choose of [node-1]: threw java.util.NoSuchElementException"),
        Arguments.of(
            fairness,
            share.formatted("new long[0]"),
            "share of 0 among [1]: shares: 0 (expected: 1, one for each)"),
        Arguments.of(
            fairness,
            share.formatted("demands.stream().mapToLong(d -> -1).toArray()"),
            "share of 0 among [1]: share: -1 (expected: 0 to 1)"),
        Arguments.of(
            fairness,
            share.formatted("demands.stream().mapToLong(d -> budget).toArray()"),
            "share of 3 among [1]: share: 3 (expected: 0 to 1)"),
        Arguments.of(
            fairness,
            share.formatted("demands.stream().mapToLong(Demand::wanted).toArray()"),
            "share of 0 among [1]: together: 1 (expected: at most 0)"),
        Arguments.of(
            fairness,
            share.formatted("drop(demands)")
                + " static long[] drop(List<Demand> demands) { demands.clear(); return null; }",
            "share of 0 among []: threw java.lang.UnsupportedOperationException (expected: a"
                + " result)"));
  }

  @ParameterizedTest(name = "{2}")
  @MethodSource("broken")
  void shouldSeeTheRuleThatIsBroken(String kind, String body, String message) throws Exception {
    assertThat(broken(kind, body)).anySatisfy(each -> assertThat(each).contains(message));
  }

  // ---- recorded transfers

  private static final String RECORDED =
      """
      # a visitor
      GET photos/a b.jpg
      client 192.0.2.7
      size 300

      packet 0 200
      packet 100 200
      expect tried denied
      """;

  @Test
  void shouldCompareWithWhatIsExpected() throws Exception {
    RecordedTransfer transfer = RecordedTransfer.parse("a.transfer", RECORDED);

    assertThat(transfer.session().name()).isEqualTo("photos/a b.jpg");
    assertThat(broken("NetworkFunction", "", List.of(transfer)))
        .containsExactly(
            "tried, a.transfer: as a whole: outcome: complete (expected: denied, as recorded)");
    assertThat(
            broken(
                "NetworkFunction",
                "@Override public Admission begin(SessionInfo s) { return"
                    + " s.client().equals(\"192.0.2.7\") ? Admission.deny(\"you\") :"
                    + " Admission.admit(); }",
                List.of(transfer)))
        .isEmpty();
    assertThat(
            broken(
                "AdmissionPolicy",
                "@Override public Admission admit(SessionInfo s, int others) { return"
                    + " Admission.redirect(\"b/\" + s.name()); }",
                List.of(
                    RecordedTransfer.parse(
                        "b.transfer", RECORDED.replace("denied", "redirected b/photos/a b.jpg")))))
        .isEmpty();
  }

  static Stream<Arguments> bad() {
    return Stream.of(
        Arguments.of("GET", "get", "line 2: \"get photos/a b.jpg\" (expected: GET, PUT, client,"),
        Arguments.of("GET photos/a b.jpg", "", "no line GET or PUT (expected: one)"),
        Arguments.of("packet 0 200", "packet 0 x", "line 6: \"packet 0 x\" (expected: numbers of"),
        Arguments.of(
            "packet 0 200", "packet 200", "\"packet 200\" (expected: packet OFFSET LENGTH)"),
        Arguments.of("packet 0 200", "bytes 00", "\"bytes 00\" (expected: bytes OFFSET HEX)"),
        Arguments.of("packet 0 200", "packet 1 200", "packet: offset 1 (expected: 0 to 0)"),
        Arguments.of("packet 0 200", "packet 0 0", "packet: length 0 (expected: 1 to 16777216)"),
        Arguments.of("size 300", "size 301", "packets: end at 300 (expected: the size, 301,"),
        Arguments.of("tried denied", "tried lost", "line 8: expect \"tried lost\" (expected: a"),
        Arguments.of("packet", "# packet", "packets: 0 (expected: 1 to 1000)"));
  }

  @ParameterizedTest
  @MethodSource("bad")
  void shouldRefuseWhatIsNoTransfer(String good, String bad, String message) {
    assertThatThrownBy(() -> RecordedTransfer.parse("a.transfer", RECORDED.replace(good, bad)))
        .isInstanceOf(ModuleException.class)
        .hasMessageStartingWith("\"a.transfer\": ")
        .hasMessageContaining(message);
  }
}
