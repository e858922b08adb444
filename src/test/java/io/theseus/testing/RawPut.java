package io.theseus.testing;

import io.theseus.testing.PacketSocket.Offset;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Said;
import java.io.IOException;
import java.util.UUID;

/** A PUT, with its Size or with END behind it. */
public final class RawPut extends RawTransfer {
  private final boolean sized;
  private final int packet;
  private final long ahead;

  /**
   * A PUT that begins.
   *
   * @param sized whether it says its Size at the beginning, or END behind the last byte
   * @param packet bytes in each DATA
   * @param ahead the most bytes that it sends ahead of the last OFFSET; with one packet the node
   *     has to make every packet durable by itself
   */
  public RawPut(String name, Content content, boolean sized, int packet, long ahead) {
    this(UUID.randomUUID(), name, content, sized, packet, ahead);
  }

  /** One of a session that may have begun. */
  public RawPut(UUID session, String name, Content content, boolean sized, int packet, long ahead) {
    super(session, name, content);
    this.sized = sized;
    this.packet = packet;
    this.ahead = ahead;
  }

  /** The command, from the last OFFSET on. */
  public String command() {
    return "PUT "
        + name()
        + "\nSession: "
        + session()
        + "\nOffset: "
        + acknowledged()
        + (sized ? "\nSize: " + content().size() + "\nSHA-256: " + content().sha256Hex() : "")
        + "\n";
  }

  @Override
  End over(PacketSocket socket, long upTo) throws IOException {
    socket.info(command());
    Said ready = socket.take("READY");
    check(ready.field("Session").equals(session().toString()), "READY of another session");
    long window = Math.min(ahead, ready.number("Window"));
    int most = (int) Math.min(packet, ready.number("Max-Data"));
    long size = content().size();
    long position = first(socket.take());
    boolean ended = sized;
    while (acknowledged() < upTo) {
      if (position < size && position - acknowledged() < window) {
        int length =
            (int) Math.min(most, Math.min(size - position, window - (position - acknowledged())));
        pace();
        socket.data(content(), position, length);
        position += length;
      } else if (position == size && !ended) {
        socket.info("END\nSize: " + size + "\nSHA-256: " + content().sha256Hex() + "\n");
        ended = true;
      } else {
        Packet came = socket.take();
        if (came instanceof Said said && said.verb().equals("COMPLETE")) {
          check(acknowledged() == size, "COMPLETE before OFFSET(" + size + ")");
          return completed(said);
        }
        check(came instanceof Offset, "unexpected " + came);
        long offset = ((Offset) came).offset();
        check(
            offset >= acknowledged() && offset <= position,
            "OFFSET(" + offset + ") after sending up to " + position);
        acknowledged(offset);
      }
    }
    return End.LEFT;
  }

  private long first(Packet came) {
    check(came instanceof Offset, "unexpected " + came);
    long offset = ((Offset) came).offset();
    check(offset >= acknowledged(), "asked for acknowledged bytes again, from " + offset);
    check(offset <= content().size(), "asked for bytes behind the end, from " + offset);
    begins(offset);
    acknowledged(offset);
    return offset;
  }
}
