package io.theseus.peer;

import io.theseus.wire.Epoch;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/** The texts of BACKUPINFO: what members say to each other about the bytes of a session. */
sealed interface PeerMessage {
  /** The version of what is said between members here. */
  int VERSION = 1;

  /** Sums in one message at most: 64 KiB of text hold more. */
  int MOST_SUMS = 4096;

  /** A member that was connected to, or connects: its id. Said first, by both; of no session. */
  record Hello(String node) implements PeerMessage {
    @Override
    public String text() {
      return Info.of("HELLO").field("Version", VERSION).field("Node", node).text();
    }
  }

  /**
   * Send these bytes, as soon as they are there. Several of one session are answered in order.
   *
   * @param from first byte
   * @param to behind the last byte
   */
  record Pull(Epoch epoch, long from, long to) implements PeerMessage {
    @Override
    public String text() {
      return Info.of("PULL").field("Epoch", epoch).field("From", from).field("To", to).text();
    }
  }

  /** Send nothing more of the session. Answered by {@link Stopped}. */
  record Stop() implements PeerMessage {
    @Override
    public String text() {
      return Info.of("STOP").text();
    }
  }

  /**
   * What was asked for before the STOP is over: what follows of the session was asked for since.
   */
  record Stopped() implements PeerMessage {
    @Override
    public String text() {
      return Info.of("STOPPED").text();
    }
  }

  /**
   * CRC32C of whole blocks, one after the other.
   *
   * @param firstBlock number of the first, from 0
   */
  record Sums(int firstBlock, List<Integer> sums) implements PeerMessage {
    @Override
    public String text() {
      StringBuilder words = new StringBuilder(9 * sums.size());
      for (int sum : sums) {
        words.append(words.isEmpty() ? "" : " ").append(String.format("%08x", sum));
      }
      return Info.of("SUMS").field("Block", firstBlock).field("CRC32C", words).text();
    }
  }

  /** Nothing more comes of the session. */
  record Failed(ErrorCode code, String reason) implements PeerMessage {
    @Override
    public String text() {
      return Info.of("FAILED")
          .field("Code", code.label())
          .field("Reason", Texts.escape(reason))
          .text();
    }
  }

  /** As it goes out. */
  String text();

  /**
   * Reads a text.
   *
   * @throws ProtocolException naming what is wrong with it
   */
  static PeerMessage parse(String text) throws ProtocolException {
    Info info = Info.parse(text);
    return switch (info.verb()) {
      case "HELLO" -> hello(info);
      case "PULL" -> pull(info);
      case "STOP" -> new Stop();
      case "STOPPED" -> new Stopped();
      case "SUMS" -> sums(info);
      case "FAILED" ->
          new Failed(
              ErrorCode.ofText(required(info, "Code")).orElse(ErrorCode.INTERNAL),
              required(info, "Reason"));
      default ->
          throw new ProtocolException(
              ErrorCode.BAD_PACKET,
              "verb "
                  + Texts.quote(info.verb())
                  + " between members (expected: HELLO, PULL, STOP, STOPPED, SUMS or FAILED)");
    };
  }

  private static Hello hello(Info info) throws ProtocolException {
    long version = number(info, "Version");
    if (version != VERSION) {
      throw new ProtocolException(
          ErrorCode.VERSION, "Version: " + version + " (expected: " + VERSION + ")");
    }
    return new Hello(required(info, "Node"));
  }

  private static Pull pull(Info info) throws ProtocolException {
    long from = number(info, "From");
    long to = number(info, "To");
    if (to <= from) {
      throw Info.bad("To", String.valueOf(to), "more than From, which is " + from);
    }
    return new Pull(Epoch.parse("Epoch", required(info, "Epoch")), from, to);
  }

  private static Sums sums(Info info) throws ProtocolException {
    long first = number(info, "Block");
    String[] words = required(info, "CRC32C").split(" ", MOST_SUMS + 1);
    if (words.length > MOST_SUMS || first > Integer.MAX_VALUE - MOST_SUMS) {
      throw Info.bad("CRC32C", words.length + " sums", "at most " + MOST_SUMS);
    }
    List<Integer> sums = new ArrayList<>(words.length);
    for (String word : words) {
      if (!word.toLowerCase(Locale.ROOT).matches("[0-9a-f]{8}")) {
        throw Info.bad("CRC32C", word, "8 hex digits for each block");
      }
      sums.add(Integer.parseUnsignedInt(word, 16));
    }
    return new Sums((int) first, List.copyOf(sums));
  }

  private static long number(Info info, String field) throws ProtocolException {
    OptionalLong value = info.number(field);
    if (value.isEmpty()) {
      throw missing(info, field);
    }
    return value.getAsLong();
  }

  private static String required(Info info, String field) throws ProtocolException {
    return info.text(field).orElseThrow(() -> missing(info, field));
  }

  private static ProtocolException missing(Info info, String field) {
    return new ProtocolException(
        ErrorCode.BAD_FIELD, info.verb() + " without " + field + " (expected: one)");
  }
}
