package io.theseus.client;

import io.theseus.client.ScriptedServer.Packet;
import io.theseus.client.ScriptedServer.Peer;
import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * A small server that does what the protocol says, with files in memory, and that fails where a
 * client doesn't: a strict partner for the client, to be cut off at any byte.
 */
final class ReferenceServer implements ScriptedServer.Script {
  /** A PUT as the server has it, over all its connections. */
  static final class Upload {
    final ByteArrayOutputStream content = new ByteArrayOutputStream();
    OptionalLong size = OptionalLong.empty();
    long durable;
    boolean complete;
    int commands;
    int connectionsWithEnd;
  }

  final Map<String, byte[]> files = Collections.synchronizedMap(new HashMap<>());
  final Map<UUID, Upload> uploads = Collections.synchronizedMap(new HashMap<>());
  final List<Long> getOffsets = Collections.synchronizedList(new ArrayList<>());
  private final int packetBytes;
  private final long putWindow;
  private final boolean unknownSize;
  private final Consumer<Peer> faults;
  private long highestAcknowledged;

  /**
   * A server.
   *
   * @param unknownSize serve files as if their size were unknown until END
   * @param faults told of each connection before its first byte
   */
  ReferenceServer(int packetBytes, long putWindow, boolean unknownSize, Consumer<Peer> faults) {
    this.packetBytes = packetBytes;
    this.putWindow = putWindow;
    this.unknownSize = unknownSize;
    this.faults = faults;
  }

  @Override
  public void run(Peer peer) throws IOException, ProtocolException {
    faults.accept(peer);
    try {
      while (true) {
        Packet packet = peer.read();
        if (packet == null) {
          return;
        }
        if (packet.type() == 2 && packet.text().startsWith("END")) {
          continue; // a late one, between sessions
        }
        if (packet.type() != 2) {
          throw new AssertionError("expected a command, got " + Peer.describe(packet));
        }
        Info command = Info.parse(packet.text());
        switch (command.verb()) {
          case "GET" -> get(peer, command);
          case "PUT" -> put(peer, command);
          default -> throw new AssertionError("command " + command.verb());
        }
      }
    } catch (Peer.Cut | EOFException | SocketException e) {
      // the connection is lost
    }
  }

  private synchronized void get(Peer peer, Info command) throws IOException, ProtocolException {
    byte[] content = files.get(command.argument());
    if (content == null) {
      peer.error("not-found: " + command.argument());
      return;
    }
    String identity = "id-" + content.length;
    long offset = command.number("Offset").orElse(0);
    getOffsets.add(offset);
    check(offset >= highestAcknowledged, "Offset " + offset + " < OFFSET " + highestAcknowledged);
    check(offset <= content.length, "Offset " + offset);
    check(
        offset == 0 || command.identity("Identity").orElse("").equals(identity),
        "Identity of " + command.identity("Identity"));
    OptionalLong window = command.number("Window");
    peer.readyGet(command, unknownSize ? -1 : content.length, identity);
    boolean endSent = !unknownSize;
    long last = offset;
    long sent = offset;
    boolean asked = true;
    if (!endSent && offset == content.length) {
      peer.info("END", "Size: " + content.length);
      endSent = true;
    }
    while (last < content.length) {
      if (window.isPresent()) {
        while (sent < content.length && sent - last < window.getAsLong()) {
          sent += send(peer, content, sent, window.getAsLong() - (sent - last));
          if (peer.somethingToRead()) {
            break;
          }
        }
      } else if (asked) {
        sent += send(peer, content, sent, packetBytes);
        asked = false;
      }
      if (!endSent && sent == content.length) {
        peer.info("END", "Size: " + content.length);
        endSent = true;
      }
      if (window.isPresent()
          && sent < content.length
          && sent - last < window.getAsLong()
          && !peer.somethingToRead()) {
        continue;
      }
      Packet packet = peer.read();
      if (packet == null) {
        return;
      }
      check(packet.type() == 4, "expected OFFSET, got " + Peer.describe(packet));
      check(
          packet.offset() > last && packet.offset() <= sent,
          "OFFSET " + packet.offset() + " outside " + last + " to " + sent);
      check(
          window.isPresent() || packet.offset() == sent,
          "OFFSET " + packet.offset() + " within a packet that ends at " + sent);
      last = packet.offset();
      highestAcknowledged = last;
      asked = true;
    }
    peer.complete(content.length, identity, content);
    highestAcknowledged = 0;
  }

  private int send(Peer peer, byte[] content, long from, long most) throws IOException {
    int length = (int) Math.min(Math.min(packetBytes, most), content.length - from);
    peer.data(content, (int) from, (int) from + length);
    return length;
  }

  private synchronized void put(Peer peer, Info command) throws IOException, ProtocolException {
    UUID session = command.uuid("Session").orElseThrow();
    long offset = command.number("Offset").orElse(0);
    Upload upload = uploads.computeIfAbsent(session, id -> new Upload());
    upload.commands++;
    check(
        upload.commands == 1 || upload.size.equals(command.number("Size")),
        "Size " + command.number("Size"));
    upload.size = command.number("Size");
    check(offset <= upload.durable, "Offset " + offset + " > durable " + upload.durable);
    peer.readyPut(command, putWindow);
    // what was received and not durable is lost with the connection
    truncate(upload);
    peer.offset(upload.durable);
    OptionalLong end = upload.size;
    boolean endSeen = false;
    while (end.isEmpty() || upload.durable < end.getAsLong()) {
      Packet packet = peer.read();
      if (packet == null) {
        return;
      }
      if (packet.type() == 2) {
        Info info = Info.parse(packet.text());
        check(info.verb().equals("END") && upload.size.isEmpty() && !endSeen, packet.text());
        endSeen = true;
        upload.connectionsWithEnd++;
        end = info.number("Size");
        check(end.orElseThrow() == upload.content.size(), "END " + end);
        check(
            info.sha256("SHA-256")
                .orElseThrow()
                .equals(ScriptedServer.sha256(upload.content.toByteArray())),
            "SHA-256 of END");
      } else {
        check(
            packet.type() == 3 && packet.offset() == upload.content.size(),
            "expected DATA at " + upload.content.size() + ", got " + Peer.describe(packet));
        upload.content.write(packet.data());
        check(
            upload.content.size() <= upload.durable + putWindow,
            "window: " + upload.content.size() + " > " + upload.durable + " + " + putWindow);
      }
      long received = upload.content.size();
      boolean last = end.isPresent() && received == end.getAsLong();
      if (last || received - upload.durable >= putWindow / 2 || !peer.somethingToRead()) {
        upload.durable = received;
        if (!last) {
          peer.offset(received);
        }
      }
    }
    upload.complete = true;
    files.put(command.argument(), upload.content.toByteArray());
    peer.offset(upload.durable);
    peer.complete(upload.durable, "id-" + upload.durable, upload.content.toByteArray());
  }

  private static void truncate(Upload upload) {
    byte[] all = upload.content.toByteArray();
    upload.content.reset();
    upload.content.write(all, 0, (int) upload.durable);
  }

  private static void check(boolean good, String wrong) {
    if (!good) {
      throw new AssertionError(wrong);
    }
  }
}
