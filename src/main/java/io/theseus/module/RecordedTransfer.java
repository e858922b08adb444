package io.theseus.module;

import io.theseus.channel.Direction;
import io.theseus.channel.SessionInfo;
import io.theseus.wire.Texts;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A transfer as it went, packet by packet, to try the components of a module on. As text:
 *
 * <pre>
 * # what a client asked for, the session, then the packets with offset and length
 * GET photos/a.jpg
 * client 192.0.2.7
 * size 3000000
 * packet 0 1048576
 * packet 1048576 1048576
 * packet 2097152 902848
 * expect firewall denied
 * </pre>
 *
 * <p>{@code size unknown} is a live source, or a PUT whose end isn't known before it comes. A
 * packet below the one before is a client that went back. The bytes are made up, but for those of
 * lines {@code bytes OFFSET HEX}. What a component is expected to make of it: {@code complete},
 * {@code denied}, or {@code redirected NAME}.
 *
 * @param name for messages
 * @param packets each beginning where one before it ended, or below
 * @param contents bytes at places that matter
 * @param expected outcomes by component; those of others are not looked at
 */
public record RecordedTransfer(
    String name,
    SessionInfo session,
    List<Packet> packets,
    List<Content> contents,
    Map<String, String> expected) {
  /** What all that let it pass is called. */
  static final String COMPLETE = "complete";

  static final String DENIED = "denied";
  static final String REDIRECTED = "redirected ";

  private static final int MOST_PACKETS = 1000;
  private static final int MOST_LENGTH = 16 << 20;

  /** Outputs of functions are kept in memory. */
  private static final long MOST_SIZE = 64 << 20;

  private static final int KIB = 1 << 10;

  /** A packet of data. */
  public record Packet(long offset, int length) {
    long end() {
      return offset + length;
    }
  }

  /** Bytes from an offset on. */
  @SuppressWarnings("ArrayRecordComponent") // read, never compared
  public record Content(long offset, byte[] bytes) {
    long end() {
      return offset + bytes.length;
    }
  }

  public RecordedTransfer {
    packets = List.copyOf(packets);
    contents = List.copyOf(contents);
    expected = Map.copyOf(expected);
    if (packets.isEmpty() || packets.size() > MOST_PACKETS) {
      throw new IllegalArgumentException(
          "packets: " + packets.size() + " (expected: 1 to " + MOST_PACKETS + ")");
    }
    long reached = 0;
    for (Packet each : packets) {
      if (each.offset < 0 || each.offset > reached) {
        throw new IllegalArgumentException(
            "packet: offset " + each.offset + " (expected: 0 to " + reached + ")");
      }
      if (each.length < 1 || each.length > MOST_LENGTH) {
        throw new IllegalArgumentException(
            "packet: length " + each.length + " (expected: 1 to " + MOST_LENGTH + ")");
      }
      reached = Math.max(reached, each.end());
    }
    for (Content each : contents) {
      if (each.offset < 0 || each.bytes.length == 0 || each.end() > reached) {
        throw new IllegalArgumentException(
            "bytes: "
                + each.offset
                + " to "
                + each.end()
                + " (expected: some within 0 to "
                + reached
                + ", what the packets have)");
      }
    }
    long size = session.size().orElse(reached);
    if (size != reached || reached > MOST_SIZE) {
      throw new IllegalArgumentException(
          "packets: end at "
              + reached
              + " (expected: the size, "
              + size
              + ", at most "
              + MOST_SIZE
              + ")");
    }
  }

  /** Bytes of the whole transfer. */
  long size() {
    return packets.stream().mapToLong(Packet::end).max().orElseThrow();
  }

  /** The bytes of a packet, or of a part of it. */
  byte[] content(long offset, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      long at = offset + i;
      bytes[i] = (byte) (at * 31 + (at >>> 8));
    }
    for (Content each : contents) {
      long from = Math.max(offset, each.offset);
      long to = Math.min(offset + length, each.end());
      if (from < to) {
        System.arraycopy(
            each.bytes,
            (int) (from - each.offset),
            bytes,
            (int) (from - offset),
            (int) (to - from));
      }
    }
    return bytes;
  }

  /** Transfers that every component can be tried on. */
  public static List<RecordedTransfer> standard() {
    return List.of(
        made("a download that went back", Direction.GET, true, 1024 * KIB, 9000 * KIB + 1, 3),
        made("a download in small packets", Direction.GET, true, 64, 500, 0),
        made("a live download", Direction.GET, false, 100 * KIB, 1000 * KIB, 0),
        made("an upload", Direction.PUT, true, 256 * KIB, 2000 * KIB + 7, 0),
        made("an upload of unknown size", Direction.PUT, false, 256 * KIB, 600 * KIB, 0),
        made("an upload of one byte", Direction.PUT, true, 1, 1, 0));
  }

  private static RecordedTransfer made(
      String name, Direction direction, boolean sized, int packet, long size, int backAfter) {
    List<Packet> packets = new ArrayList<>();
    for (long at = 0; at < size; at += packet) {
      packets.add(new Packet(at, (int) Math.min(packet, size - at)));
      if (packets.size() == backAfter) {
        packets.add(new Packet(at - packet, packet));
        packets.add(new Packet(at, packet));
      }
    }
    return new RecordedTransfer(
        name,
        session(
            direction,
            "recorded/file",
            sized ? OptionalLong.of(size) : OptionalLong.empty(),
            "127.0.0.1"),
        packets,
        List.of(),
        Map.of());
  }

  private static SessionInfo session(
      Direction direction, String name, OptionalLong size, String client) {
    UUID id = UUID.nameUUIDFromBytes((direction + " " + name).getBytes(StandardCharsets.UTF_8));
    return new SessionInfo(id, direction, name, size, client);
  }

  /**
   * The transfer in a text.
   *
   * @param name for messages
   * @throws ModuleException naming the line that is wrong
   */
  public static RecordedTransfer parse(String name, String text) throws ModuleException {
    Reading reading = new Reading();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      try {
        reading.line(line.strip());
      } catch (IllegalArgumentException e) {
        String reason =
            e instanceof NumberFormatException
                ? Texts.quote(line) + " (expected: numbers of bytes)"
                : e.getMessage();
        throw new ModuleException(Texts.quote(name) + ": line " + number + ": " + reason);
      }
    }
    try {
      return reading.transfer(name);
    } catch (IllegalArgumentException e) {
      throw new ModuleException(Texts.quote(name) + ": " + e.getMessage());
    }
  }

  /** What the lines said so far. */
  private static final class Reading {
    private Optional<Direction> direction = Optional.empty();
    private String file = "";
    private String client = "127.0.0.1";
    private OptionalLong size = OptionalLong.empty();
    private final List<Packet> packets = new ArrayList<>();
    private final List<Content> contents = new ArrayList<>();
    private final Map<String, String> expected = new TreeMap<>();

    void line(String line) {
      if (line.isEmpty() || line.startsWith("#")) {
        return;
      }
      int space = line.indexOf(' ');
      String word = space < 0 ? line : line.substring(0, space);
      String rest = space < 0 ? "" : line.substring(space + 1).strip();
      switch (word) {
        case "GET", "PUT" -> {
          direction = Optional.of(Direction.valueOf(word));
          file = rest;
        }
        case "client" -> client = rest;
        case "size" ->
            size =
                rest.equals("unknown")
                    ? OptionalLong.empty()
                    : OptionalLong.of(Long.parseLong(rest));
        case "packet" -> {
          String[] numbers = two(line, rest, "packet OFFSET LENGTH");
          packets.add(new Packet(Long.parseLong(numbers[0]), Integer.parseInt(numbers[1])));
        }
        case "bytes" -> bytes(rest);
        case "expect" -> expect(rest);
        default ->
            throw new IllegalArgumentException(
                Texts.quote(line)
                    + " (expected: GET, PUT, client, size, packet, bytes, expect, or # for a comment)");
      }
    }

    private static String[] two(String line, String rest, String form) {
      String[] parts = rest.split(" +", -1);
      if (parts.length != 2) {
        throw new IllegalArgumentException(Texts.quote(line) + " (expected: " + form + ")");
      }
      return parts;
    }

    private void bytes(String rest) {
      String[] parts = two("bytes " + rest, rest, "bytes OFFSET HEX");
      byte[] bytes;
      try {
        bytes = HexFormat.of().parseHex(parts[1]);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "bytes " + Texts.quote(rest) + " (expected: an offset, then pairs of hex digits)", e);
      }
      contents.add(new Content(Long.parseLong(parts[0]), bytes));
    }

    private void expect(String rest) {
      int space = rest.indexOf(' ');
      String outcome = space < 0 ? "" : rest.substring(space + 1).strip();
      if (!outcome.equals(COMPLETE)
          && !outcome.equals(DENIED)
          && !outcome.toLowerCase(Locale.ROOT).startsWith(REDIRECTED)) {
        throw new IllegalArgumentException(
            "expect "
                + Texts.quote(rest)
                + " (expected: a component, then complete, denied or redirected NAME)");
      }
      expected.put(rest.substring(0, space), outcome);
    }

    RecordedTransfer transfer(String name) {
      Direction way =
          direction.orElseThrow(
              () -> new IllegalArgumentException("no line GET or PUT (expected: one)"));
      return new RecordedTransfer(
          name, session(way, file, size, client), packets, contents, expected);
    }
  }
}
