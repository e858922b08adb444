package io.theseus.net;

import com.typesafe.config.Config;
import io.theseus.wire.Packets;
import java.time.Duration;

/**
 * Settings of the TCP door.
 *
 * @param host address to bind
 * @param port 0 for any free one
 * @param advertise {@code host:port} as clients reach this node; empty: as bound
 * @param idle silence that is borne, at least 10 s
 * @param maxData most bytes in a DATA, both directions, 4 KiB to 16 MiB
 * @param putWindow bytes of a PUT in flight past the last OFFSET
 * @param getWindow most bytes of a GET in flight that a client may ask for
 * @param checkpointDelay a PUT that pauses is made durable after this time
 * @param eventLoops threads that move bytes; 0: one for each processor
 */
public record NetSettings(
    String host,
    int port,
    String advertise,
    Duration idle,
    int maxData,
    long putWindow,
    long getWindow,
    Duration checkpointDelay,
    int eventLoops) {
  public NetSettings {
    range("theseus.packets.port", port, 0, 65_535);
    range("theseus.packets.idle in seconds", idle.toSeconds(), 10, 86_400);
    range("theseus.packets.max-data", maxData, Packets.MIN_MAX_DATA, Packets.MAX_MAX_DATA);
    range("theseus.packets.put-window", putWindow, maxData, 1L << 40);
    range("theseus.packets.get-window", getWindow, maxData, 1L << 40);
    range("theseus.packets.checkpoint-delay in ms", checkpointDelay.toMillis(), 1, 1000);
    range("theseus.packets.event-loops", eventLoops, 0, 1024);
    if (!advertise.isEmpty()
        && !advertise.matches("(\\[[0-9a-fA-F:.]+\\]|[^:\\s\\[\\]]+):[0-9]{1,5}")) {
      throw new IllegalArgumentException(
          "theseus.packets.advertise: \""
              + advertise
              + "\" (expected: host:port, IPv6 in brackets)");
    }
  }

  /** Reads {@code theseus.packets}. */
  public static NetSettings from(Config config) {
    return new NetSettings(
        config.getString("host"),
        config.getInt("port"),
        config.getString("advertise"),
        config.getDuration("idle"),
        Math.toIntExact(config.getBytes("max-data")),
        config.getBytes("put-window"),
        config.getBytes("get-window"),
        config.getDuration("checkpoint-delay"),
        config.getInt("event-loops"));
  }

  private static void range(String key, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          key + ": " + value + " (expected: " + least + " to " + most + ")");
    }
  }
}
