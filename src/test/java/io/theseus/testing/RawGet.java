package io.theseus.testing;

import io.theseus.testing.PacketSocket.Data;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Said;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A GET, with or without a window, which keeps the hash of what came over all connections. */
public final class RawGet extends RawTransfer {
  private final long window;
  private final int packet;
  private final MessageDigest digest = Content.sha256();
  private @Nullable String identity;
  private long waitAt = Long.MAX_VALUE;

  /**
   * A GET that begins.
   *
   * @param content what has to come
   * @param window 0: stop-and-wait
   * @param packet the most bytes in a DATA
   */
  public RawGet(String name, Content content, long window, int packet) {
    super(UUID.randomUUID(), name, content);
    this.window = window;
    this.packet = packet;
  }

  /** From there on a connection acknowledges nothing, and waits for its end. */
  public RawGet waitAt(long offset) {
    waitAt = offset;
    return this;
  }

  @Override
  End over(PacketSocket socket, long upTo) throws IOException {
    long size = content().size();
    socket.info(
        "GET "
            + name()
            + "\nSession: "
            + session()
            + "\nOffset: "
            + acknowledged()
            + "\nMax-Data: "
            + packet
            + (window > 0 ? "\nWindow: " + window : "")
            + (identity != null ? "\nIdentity: " + identity : "")
            + "\n");
    Said ready = socket.take("READY");
    check(ready.number("Size") == size, "READY with Size " + ready.field("Size"));
    check(
        identity == null || ready.field("Identity").equals(identity),
        "READY with another Identity, " + ready.field("Identity"));
    identity = ready.field("Identity");
    boolean begun = false;
    while (acknowledged() < upTo) {
      Packet came = socket.take();
      if (came instanceof Said said && said.verb().equals("COMPLETE")) {
        check(acknowledged() == size, "COMPLETE before OFFSET(" + size + ")");
        String sum = HexFormat.of().formatHex(copy().digest());
        check(sum.equals(content().sha256Hex()), "SHA-256 of what came is " + sum);
        return completed(said);
      }
      check(came instanceof Data, "unexpected " + came);
      Data data = (Data) came;
      long at = acknowledged();
      // nobody has asked for anything else
      check(data.offset() == at, "DATA at " + data.offset());
      if (!begun) {
        begun = true;
        begins(data.offset());
      }
      int length = data.bytes().length;
      check(length <= packet && at + length <= size, "DATA of " + length + " bytes");
      check(
          Arrays.equals(data.bytes(), 0, length, content().bytes(), (int) at, (int) at + length),
          "wrong bytes in the DATA at " + at);
      digest.update(data.bytes());
      acknowledged(at + length);
      pace();
      socket.offset(at + length);
      if (at + length >= waitAt) {
        dropAll(socket);
      }
    }
    return End.LEFT;
  }

  /** Reads and drops until the connection is lost, which is an exception. */
  private static void dropAll(PacketSocket socket) throws IOException {
    Packet came;
    do {
      came = socket.take();
    } while (came instanceof Data || came instanceof Said);
    throw new IOException("unexpected " + came);
  }

  private MessageDigest copy() {
    try {
      return (MessageDigest) digest.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }
}
