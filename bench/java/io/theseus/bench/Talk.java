package io.theseus.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What a client says to a server: the same in packets and in HTTP. */
interface Talk {
  /** A question that is answered at once and leaves the connection open. */
  void ask(Crowd crowd, int index) throws IOException;

  /** Asks for a small file. */
  void begin(Crowd crowd, int index, String name) throws IOException;

  /** Takes all of a file that was asked for. */
  void finish(Crowd crowd, int index) throws IOException;

  /** Asks for a large file, of which {@link #sip} takes a little at a time. */
  void beginSlowly(Crowd crowd, int index, String name) throws IOException;

  /** Takes a KiB. */
  void sip(Crowd crowd, int index) throws IOException;

  /** Packets. */
  final class Packets implements Talk {
    static final int SIP = 1024;
    private static final int DATA_HEADER = 13;

    static byte[] info(String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      return ByteBuffer.allocate(5 + bytes.length)
          .put((byte) 2)
          .putInt(bytes.length)
          .put(bytes)
          .array();
    }

    static byte[] offset(long offset) {
      return ByteBuffer.allocate(9).put((byte) 4).putLong(offset).array();
    }

    /** One byte of content. */
    static byte[] data(long offset) {
      return ByteBuffer.allocate(DATA_HEADER + 1)
          .put((byte) 3)
          .putInt(1)
          .putLong(offset)
          .put((byte) 'x')
          .array();
    }

    @Override
    public void ask(Crowd crowd, int index) throws IOException {
      crowd.send(index, info("STAT small\n"));
      expect(crowd, index, "STAT");
    }

    /** Takes the INFO that has to come, or a later one behind signs of life. */
    static void expect(Crowd crowd, int index, String verb) throws IOException {
      while (true) {
        ByteBuffer header = crowd.read(index, 5);
        byte type = header.get();
        int length = header.getInt();
        String text = type == 1 || type == 2 ? crowd.text(index, length) : "packet of type " + type;
        if (type == 2 && text.startsWith(verb)) {
          return;
        }
        if (type != 2 || !text.startsWith("ALIVE")) {
          throw new IOException("there came: " + text + " (expected: " + verb + ")");
        }
      }
    }

    @Override
    public void begin(Crowd crowd, int index, String name) throws IOException {
      crowd.send(index, info("GET " + name + "\nWindow: 1048576\n"));
    }

    @Override
    public void finish(Crowd crowd, int index) throws IOException {
      expect(crowd, index, "READY");
      crowd.send(index, offset(readData(crowd, index)));
      expect(crowd, index, "COMPLETE");
    }

    /** The end of the DATA that has to come, or comes behind signs of life. */
    private static long readData(Crowd crowd, int index) throws IOException {
      while (true) {
        ByteBuffer start = crowd.read(index, 5);
        byte type = start.get();
        int length = start.getInt();
        if (type == 2) {
          crowd.read(index, length);
          continue;
        }
        if (type != 3) {
          throw new IOException("packet of type " + type + " (expected: DATA)");
        }
        long offset = crowd.read(index, 8).getLong();
        crowd.read(index, length);
        return offset + length;
      }
    }

    @Override
    public void beginSlowly(Crowd crowd, int index, String name) throws IOException {
      crowd.send(index, info("GET " + name + "\nMax-Data: " + SIP + "\n"));
      expect(crowd, index, "READY");
    }

    @Override
    public void sip(Crowd crowd, int index) throws IOException {
      crowd.send(index, offset(readData(crowd, index)));
    }
  }

  /** HTTP/1.1, connections kept alive. */
  final class Http implements Talk {
    private static byte[] request(String method, String name) {
      return (method + " /" + name + " HTTP/1.1\r\nHost: bench\r\n\r\n")
          .getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void ask(Crowd crowd, int index) throws IOException {
      crowd.send(index, request("HEAD", "small"));
      head(crowd, index);
    }

    private static int head(Crowd crowd, int index) throws IOException {
      String head = crowd.readUntil(index, "\r\n\r\n");
      if (!head.startsWith("HTTP/1.1 200")) {
        throw new IOException("there came: " + head + " (expected: 200)");
      }
      String field = "Content-Length: ";
      int at = head.indexOf(field) + field.length();
      return Integer.parseInt(head.substring(at, head.indexOf('\r', at)));
    }

    @Override
    public void begin(Crowd crowd, int index, String name) throws IOException {
      crowd.send(index, request("GET", name));
    }

    @Override
    public void finish(Crowd crowd, int index) throws IOException {
      crowd.read(index, head(crowd, index));
    }

    @Override
    public void beginSlowly(Crowd crowd, int index, String name) throws IOException {
      crowd.send(index, request("GET", name));
      head(crowd, index);
    }

    @Override
    public void sip(Crowd crowd, int index) throws IOException {
      crowd.read(index, Packets.SIP);
    }
  }
}
