package io.theseus.bench.transfer;

import io.theseus.bench.Lab;
import io.theseus.bench.Pattern;
import io.theseus.bench.transfer.TransferCase.Way;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Our programs in C that do the least: raw_send for GET, raw_receive for PUT; of one case alone.
 */
final class RawServer extends ServerProcess {
  static final String NAME = "raw";

  private final LoadClient load;

  /**
   * Starts one.
   *
   * @param folder of the files, below the site
   */
  RawServer(Lab lab, TransferCase what, String folder) throws IOException {
    this(lab, what, folder, Lab.freePort());
  }

  private RawServer(Lab lab, TransferCase what, String folder, int port) throws IOException {
    super(lab, NAME, command(lab, what, folder, port), () -> Lab.accepts(port));
    load = new LoadClient(lab, "raw", port, /* tlsPort= */ 0, /* fsync= */ false);
  }

  private static ProcessBuilder command(Lab lab, TransferCase what, String folder, int port) {
    boolean get = what.way() == Way.GET;
    List<String> command =
        new ArrayList<>(
            List.of(
                lab.tool(get ? "raw_send" : "raw_receive"),
                "--port",
                Integer.toString(port),
                "--directory",
                lab.site().resolve(folder).toString(),
                "--name",
                ""));
    command.addAll(
        get
            ? List.of("--files", Integer.toString(what.files()))
            : List.of("--size", Long.toString(what.bytes())));
    return new ProcessBuilder(command);
  }

  @Override
  public LoadClient load() {
    return load;
  }

  @Override
  public String fetch(TransferCase what, String folder, int index) throws IOException {
    MessageDigest digest = Pattern.sha256();
    byte[] buffer = new byte[1 << 16];
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), load.port())) {
      socket.getOutputStream().write(ByteBuffer.allocate(Long.BYTES).putLong(index).array());
      InputStream in = socket.getInputStream();
      long left = what.bytes();
      while (left > 0) {
        int got = in.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (got < 0) {
          throw new EOFException(NAME + " closed the connection, " + left + " bytes too early");
        }
        digest.update(buffer, 0, got);
        left -= got;
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
