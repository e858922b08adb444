package io.theseus.net;

import io.theseus.backup.Replication;
import io.theseus.names.ClusterListing;
import io.theseus.session.Ready;
import io.theseus.store.Completed;
import io.theseus.store.FileStat;
import io.theseus.store.LiveStream;
import io.theseus.wire.Info;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.UUID;

/** INFO texts of the server. */
final class Replies {
  private Replies() {}

  static String readyGet(
      Ready.ReadyGet ready,
      OptionalLong size,
      String node,
      String nodes,
      int maxData,
      long idleSeconds,
      OptionalLong window) {
    Info.Builder info = ready(ready, node, nodes, maxData, idleSeconds);
    info.field("Size", size.isPresent() ? String.valueOf(size.getAsLong()) : "unknown");
    info.field("Identity", ready.identity());
    info.field("Producer", isRewindable(ready) ? "rewindable" : "stream");
    return info.field("Window", window).text();
  }

  private static boolean isRewindable(Ready.ReadyGet ready) {
    LiveStream live = ready.live();
    return live == null || live.isRewindable();
  }

  static String readyPut(
      Ready.ReadyPut ready,
      String node,
      String nodes,
      int maxData,
      long idleSeconds,
      long window,
      long keepSeconds) {
    return ready(ready, node, nodes, maxData, idleSeconds)
        .field("Consumer", ready.streamConsumer() ? "stream" : "rewindable")
        .field("Window", window)
        .field("Keep", keepSeconds)
        .text();
  }

  private static Info.Builder ready(
      Ready ready, String node, String nodes, int maxData, long idleSeconds) {
    return Info.of("READY")
        .field("Session", ready.session())
        .field("Max-Data", maxData)
        .field("Idle", idleSeconds)
        .field("Module", ready.module())
        .field("Node", node)
        .field("Nodes", nodes)
        .field("Version", 1);
  }

  static String modifying(long offset) {
    return Info.of("MODIFYING").field("Offset", offset).text();
  }

  static String resumed(String module) {
    return Info.of("RESUMED").field("Module", module).text();
  }

  static String copies(Replication.Whole whole) {
    return Info.of("NOTICE")
        .field(
            "Text",
            whole.copies() + " of " + whole.wanted() + " copies have all that was acknowledged")
        .field("Replication", whole.isShort() ? "under" : "full")
        .text();
  }

  static String alive() {
    return Info.of("ALIVE").text();
  }

  static String end(long size) {
    return Info.of("END").field("Size", size).text();
  }

  static String restart(String identity, OptionalLong size) {
    return Info.of("RESTART")
        .field("Identity", identity)
        .field("Size", size.isPresent() ? String.valueOf(size.getAsLong()) : "unknown")
        .text();
  }

  static String complete(long size, String identity, Optional<String> sha256) {
    return Info.of("COMPLETE")
        .field("Size", size)
        .field("Identity", identity)
        .field("SHA-256", sha256)
        .text();
  }

  static String complete(Completed completed) {
    return complete(completed.size(), completed.identity(), completed.sha256());
  }

  static String stat(FileStat stat) {
    return Info.of("STAT")
        .field("Size", stat.size().isPresent() ? stat.size().getAsLong() : "unknown")
        .field("Identity", stat.identity())
        .field("Modified", stat.modified().map(Instant::toString).orElse("-"))
        .field("SHA-256", stat.sha256())
        .text();
  }

  static String migrate(UUID session, String node) {
    return Info.of("MIGRATE").field("Node", node).field("Session", session).text();
  }

  static String list(ClusterListing listing) {
    StringBuilder lines = new StringBuilder();
    for (FileStat entry : listing.entries()) {
      lines.append(entry.line()).append('\n');
    }
    Info.Builder info = Info.of("LIST").field("More", listing.more() ? "yes" : "no");
    if (!listing.unreachable().isEmpty()) {
      info.field("Unreachable", String.join(", ", new TreeSet<>(listing.unreachable())));
    }
    return info.body(lines);
  }

  static String deleted(String identity) {
    return Info.of("DELETED").field("Identity", identity).text();
  }
}
