package io.theseus.cli;

import io.theseus.channel.Spi;
import io.theseus.module.ComponentKind;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What {@code theseus module new} writes. */
final class ModuleSkeleton {
  private static final String CHANNEL =
      """
      import io.theseus.channel.DataChannel;
      import io.theseus.channel.Progress;
      import io.theseus.channel.Range;

      /** Moves the bytes of a session in ranges of at most 1 MiB. */
      public final class CLASS implements DataChannel {
        private static final int MOST = 1024 * 1024;

        @Override
        public Range next(Progress progress) {
          long left = progress.end() - progress.position();
          return new Range(progress.position(), (int) Math.min(left, MOST));
        }
      }
      """;

  private static final String FUNCTION =
      """
      import io.theseus.channel.HandOver;
      import io.theseus.channel.NetworkFunction;
      import io.theseus.channel.Passage;
      import io.theseus.channel.Range;
      import java.nio.ByteBuffer;
      import java.util.Optional;

      /** Lets everything pass, and knows how many bytes it let pass, whoever comes after it. */
      public final class CLASS implements NetworkFunction {
        private static final int STATE_VERSION = 1;

        private long bytes;

        @Override
        public Passage decide(Range range, long nowNanos) {
          return Passage.pass();
        }

        @Override
        public void passed(Range range) {
          bytes += range.length();
        }

        @Override
        public Optional<HandOver> handOver() {
          byte[] state = ByteBuffer.allocate(Long.BYTES).putLong(bytes).array();
          return Optional.of(new HandOver(STATE_VERSION, state));
        }

        @Override
        public boolean takeOver(HandOver state) {
          if (state.version() != STATE_VERSION) {
            return false;
          }
          bytes = ByteBuffer.wrap(state.state()).getLong();
          return true;
        }
      }
      """;

  private static final String ADMISSION =
      """
      import io.theseus.channel.Admission;
      import io.theseus.channel.AdmissionPolicy;
      import io.theseus.channel.SessionInfo;

      /** Lets in as long as the node has fewer than so many sessions. */
      public final class CLASS implements AdmissionPolicy {
        private static final int MOST = 20_000;

        @Override
        public Admission admit(SessionInfo session, int others) {
          return others < MOST
              ? Admission.admit()
              : Admission.deny(others + " sessions (expected: fewer than " + MOST + ")");
        }
      }
      """;

  private static final String FAIRNESS =
      """
      import io.theseus.channel.FairnessPolicy;
      import java.util.List;

      /** Gives the same to all, whatever they want. */
      public final class CLASS implements FairnessPolicy {
        @Override
        public long[] share(long budget, List<Demand> demands) {
          long[] shares = new long[demands.size()];
          for (int i = 0; i < shares.length; i++) {
            shares[i] = Math.min(budget / shares.length, demands.get(i).wanted());
          }
          return shares;
        }
      }
      """;

  private static final String BACKUP =
      """
      import io.theseus.channel.BackupPolicy;
      import java.util.Comparator;
      import java.util.List;

      /** Chooses who has the most room, but stays with who has a copy already. */
      public final class CLASS implements BackupPolicy {
        @Override
        public String choose(Upload upload, List<Candidate> candidates) {
          return candidates.stream()
              .max(
                  Comparator.comparing(Candidate::keeps)
                      .thenComparingLong(Candidate::freeBytes))
              .get()
              .node();
        }
      }
      """;

  private static final String GET =
      """
      # A download, packet by packet: offset and length. The client went back once.
      GET photos/a.jpg
      client 192.0.2.7
      size 3000000
      packet 0 1048576
      packet 1048576 1048576
      packet 1048576 1048576
      packet 2097152 902848
      expect NAME complete
      """;

  private static final String PUT =
      """
      # An upload whose end was not known before it came.
      PUT incoming/b.log
      client 192.0.2.7
      size unknown
      packet 0 65536
      packet 65536 65536
      packet 131072 1
      expect NAME complete
      """;

  private static final String PAGE =
      """
      # NAME

      A module for Theseus, a KIND: code that a node runs, and that is replaced while it runs.

      - `CLASS.java` is all of it. It sees `io.theseus.channel` and Java, nothing else.
      - `*.transfer` are recorded transfers that it is tried on, with what is expected of it
        (`complete`, `denied`, `redirected ELSEWHERE`).

      Try it, make it, sign it:

          theseus module test .
          theseus module build . --version 1.0 -o NAME.jar
          theseus module sign NAME.jar --key KEYS/module.key

      A change gets a higher version.
      """;

  private ModuleSkeleton() {}

  /** Whether its source would mean another class by that name. */
  static boolean isTaken(ComponentKind kind, String className) {
    return source(kind).contains("." + className + ";")
        || Stream.of("java.lang.", "io.theseus.channel.")
            .anyMatch(each -> isThere(each + className));
  }

  private static boolean isThere(String className) {
    try {
      var unused = Class.forName(className, /* initialize= */ false, Spi.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | NoClassDefFoundError e) { // the latter: in another case
      return false;
    }
  }

  private static String source(ComponentKind kind) {
    return switch (kind) {
      case CHANNEL -> CHANNEL;
      case FUNCTION -> FUNCTION;
      case ADMISSION -> ADMISSION;
      case FAIRNESS -> FAIRNESS;
      case BACKUP -> BACKUP;
    };
  }

  /** The files by name. */
  static Map<String, String> files(ComponentKind kind, String name, String className) {
    Map<String, String> files = new TreeMap<>();
    files.put(className + ".java", source(kind));
    files.put("get.transfer", GET);
    files.put("put.transfer", PUT);
    files.put("README.md", PAGE);
    files.replaceAll(
        (file, text) ->
            text.replace("CLASS", className).replace("NAME", name).replace("KIND", kind.label()));
    return files;
  }
}
