package io.theseus.client;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.Info;
import io.theseus.wire.Packets;
import io.theseus.wire.ProtocolException;
import io.theseus.wire.Texts;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * The fields of READY, read and checked.
 *
 * @param size empty where it is unknown, or not said (PUT)
 */
record Ready(
    UUID session,
    int maxData,
    Duration idle,
    String module,
    String node,
    List<NodeAddress> nodes,
    OptionalLong window,
    OptionalLong size,
    Optional<String> identity,
    boolean live) {

  /**
   * Reads READY.
   *
   * @param asked the Session of the command
   * @param lowered the Max-Data of the command; 0 for none
   * @param get whether it answers a GET
   */
  static Ready parse(Info info, UUID asked, int lowered, boolean get) throws ProtocolException {
    UUID session = info.uuid("Session").orElseThrow(() -> missing("Session"));
    if (!session.equals(asked)) {
      throw Info.bad("Session", session.toString(), asked.toString());
    }
    long maxData = required(info, "Max-Data", 1);
    long least = lowered > 0 ? 1 : Packets.MIN_MAX_DATA;
    long most = lowered > 0 ? lowered : Packets.MAX_MAX_DATA;
    if (maxData < least || maxData > most) {
      throw Info.bad("Max-Data", String.valueOf(maxData), least + " to " + most);
    }
    OptionalLong size = OptionalLong.empty();
    if (get) {
      String text = info.text("Size").orElseThrow(() -> missing("Size"));
      if (!text.equals("unknown")) {
        size = OptionalLong.of(Info.parseNumber("Size", text));
      }
    }
    String side = get ? "Producer" : "Consumer";
    return new Ready(
        session,
        (int) maxData,
        Duration.ofSeconds(Math.min(required(info, "Idle", 1), Integer.MAX_VALUE)),
        Texts.escape(info.text("Module").orElse("")),
        Texts.escape(info.text("Node").orElse("")),
        nodes(info),
        info.number("Window", 1),
        size,
        info.identity("Identity"),
        info.oneOf(side, "rewindable", "stream").orElse("rewindable").equals("stream"));
  }

  static ProtocolException missing(String field) {
    return new ProtocolException(
        ErrorCode.BAD_FIELD, field + ": missing (expected: " + field + ": value)");
  }

  private static long required(Info info, String field, long least) throws ProtocolException {
    return info.number(field, least).orElseThrow(() -> missing(field));
  }

  private static List<NodeAddress> nodes(Info info) throws ProtocolException {
    String text = info.text("Nodes").orElse("");
    try {
      return NodeAddress.parseList(text);
    } catch (IllegalArgumentException e) {
      throw Info.bad("Nodes", text, "host:port, comma separated");
    }
  }
}
