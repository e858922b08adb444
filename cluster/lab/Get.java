import io.theseus.client.ClientSettings;
import io.theseus.client.ClientTls;
import io.theseus.client.Consumer;
import io.theseus.client.GetRequest;
import io.theseus.client.NodeAddress;
import io.theseus.client.TheseusClient;
import io.theseus.client.TransferListener;
import io.theseus.wire.FileName;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/**
 * Gets a file as the document's client does, one packet at a time, and stands still before it
 * acknowledges an offset until it is told that the transfer is held. Says every packet.
 *
 * <p>Arguments: the server, its authority, a file with a token, the file's name, where it goes, bytes
 * of a packet, where to stand still.
 */
public final class Get {
  private Get() {}

  /** A file that takes no byte up to an offset until the transfer is held. */
  private static final class Standing extends FilterOutputStream {
    private final long standAt;
    private final CountDownLatch held;
    private long taken;

    Standing(OutputStream out, long standAt, CountDownLatch held) {
      super(out);
      this.standAt = standAt;
      this.held = held;
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      if (taken < standAt && taken + length >= standAt) {
        System.out.println("stands at " + standAt);
        try {
          held.await();
        } catch (InterruptedException e) {
          throw new IOException("interrupted", e);
        }
      }
      out.write(bytes, from, length);
      taken += length;
    }
  }

  public static void main(String[] arguments) throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    ClientSettings settings =
        ClientSettings.builder(NodeAddress.parse(arguments[0]))
            .tls(ClientTls.trusting(Path.of(arguments[1])))
            .token(Files.readString(Path.of(arguments[2])).strip())
            .windowBytes(0)
            .maxDataBytes(Integer.parseInt(arguments[5]))
            .trace(System.out::println)
            .build();
    TransferListener listener =
        new TransferListener() {
          @Override
          public void held(String reason) {
            held.countDown();
          }
        };
    try (TheseusClient client = new TheseusClient(settings);
        OutputStream out =
            new Standing(
                new FileOutputStream(arguments[4]), Long.parseLong(arguments[6]), held)) {
      client.get(
          GetRequest.of(new FileName(arguments[3])), Consumer.stream(out), listener);
    }
  }
}
