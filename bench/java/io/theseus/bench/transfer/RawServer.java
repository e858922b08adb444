package io.theseus.bench.transfer;

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
final class RawServer implements Server {
  static final String NAME = "raw";

  private final Lab lab;
  private final List<String> command;
  private final Process process;
  private final LoadClient client;

  /**
   * Starts one.
   *
   * @param folder of the files, below the site
   */
  RawServer(Lab lab, TransferCase what, String folder) throws IOException {
    this.lab = lab;
    int port = Lab.freePort();
    boolean get = what.way() == Way.GET;
    command =
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
    process = lab.serve(NAME, command.toArray(String[]::new));
    client = new LoadClient(lab, "raw", port, /* fsync= */ false);
    try {
      lab.awaitPort(NAME, process, port);
    } catch (IOException e) {
      lab.end(process);
      throw e;
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public ProcessHandle process() {
    return process.toHandle();
  }

  @Override
  public List<String> started() {
    return command;
  }

  @Override
  public LoadRun load(TransferCase what, String folder) throws IOException {
    return client.run(what, folder);
  }

  @Override
  public List<String> loadCommand(TransferCase what, String folder) {
    return client.command(what, folder);
  }

  @Override
  public String fetch(TransferCase what, String folder, int index) throws IOException {
    MessageDigest digest = Pattern.sha256();
    byte[] buffer = new byte[1 << 16];
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), client.port())) {
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

  @Override
  public void close() {
    lab.end(process);
  }
}
