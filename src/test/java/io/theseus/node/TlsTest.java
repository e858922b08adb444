package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.handler.ssl.OpenSsl;
import io.theseus.admin.NodeStatus.Part;
import io.theseus.steps.Steps;
import io.theseus.testing.PacketSocket.Data;
import io.theseus.testing.PacketSocket.Packet;
import io.theseus.testing.PacketSocket.Said;
import io.theseus.testing.TestKeys;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The port for TLS: the protocol as it is without, and what goes wrong with TLS itself. */
final class TlsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int MIB = 1 << 20;
  private static final int SIZE = 24 * MIB;

  private static Path directory;
  private static TestKeys keys;
  private static Node node;
  private static byte[] content;
  private static SSLSocketFactory clients;

  @BeforeAll
  static void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    keys = TestKeys.in(temporary.resolve("keys")).make("node");
    clients = keys.clients("TLS");
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("packets.idle=10s")
                .set("packets.tls.port=0")
                .set("packets.tls.handshake=2s")
                .set("packets.tls.certificate=" + keys.certificate("node"))
                .set("packets.tls.key=" + keys.key("node"))
                .set("cluster.port=0")
                .read(),
            Steps.NONE);
    content = new byte[SIZE];
    new Random(11).nextBytes(content);
    Files.write(file("in"), content);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static Path file(String name) {
    return directory.resolve("files").resolve(name);
  }

  private static int port(String address) {
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }

  private static Socket tcp(String address) throws Exception {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port(address));
    socket.setSoTimeout((int) PATIENCE.toMillis());
    return socket;
  }

  /** All that the node says, to the end of the stream. */
  private static String answer(Socket socket) throws Exception {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  @Test
  void shouldUseBoringSsl() {
    // the library is in the jar for this platform
    assertThat(OpenSsl.isAvailable()).isEqualTo(System.getProperty("os.name").equals("Linux"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void shouldPutAndGet(String protocol) throws Exception {
    try (RawClient client = RawClient.connect(node, keys.clients(protocol))) {
      assertThat(((SSLSocket) client.socket()).getSession().getProtocol()).isEqualTo(protocol);
      String name = "out-" + protocol;
      RawClient.Sending sending = client.put("PUT " + name + "\nSize: " + SIZE + "\n");
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
      assertThat(file(name)).hasBinaryContent(content);

      byte[] read = new byte[SIZE];
      Said ready = client.info("GET " + name + "\nWindow: 4000000\n").expect("READY");
      // where this session can be resumed: over TLS
      assertThat(ready.field("Node")).isEqualTo(node.tlsAddress().orElseThrow());
      assertThat(ready.field("Nodes")).isEqualTo(node.tlsAddress().orElseThrow());
      client.read(read, 0, SIZE);
      client.expect("COMPLETE");
      assertThat(read).isEqualTo(content);
    }
  }

  @Test
  void shouldGetStepByStepAndSeek() throws Exception {
    try (RawClient client = RawClient.connect(node, clients)) {
      client.info("GET in\nMax-Data: 100000\n").expect("READY");
      Data first = client.expectData();
      assertThat(first.offset()).isZero();
      client.offset(9 * MIB);
      assertThat(client.expectData().offset()).isEqualTo(9 * MIB);
      client.offset(5);
      Data back = client.expectData();
      assertThat(back.offset()).isEqualTo(5);
      assertThat(back.bytes())
          .isEqualTo(java.util.Arrays.copyOfRange(content, 5, 5 + back.bytes().length));
      client.offset(SIZE).expect("COMPLETE");
    }
  }

  @Test
  void shouldSayRestartWhereAFileWasCutAndThenSendWhatItIs() throws Exception {
    Files.write(file("cut"), content);
    try (RawClient client = RawClient.connect(node, clients)) {
      client.info("GET cut\nWindow: 500000\n").expect("READY");
      long at = client.read(new byte[SIZE], 0, MIB);
      try (FileChannel channel = FileChannel.open(file("cut"), StandardOpenOption.WRITE)) {
        channel.truncate(2 * MIB);
      }
      Said restart = null;
      while (restart == null) {
        Packet packet = client.next();
        if (packet instanceof Data data) {
          assertThat(data.offset()).isEqualTo(at);
          at += data.bytes().length;
          client.offset(at);
        } else {
          restart = (Said) packet;
        }
      }
      assertThat(restart.verb()).isEqualTo("RESTART");
      assertThat(restart.number("Size")).isEqualTo(2 * MIB);
      byte[] read = new byte[2 * MIB];
      client.offset(0).read(read, 0, 2 * MIB);
      client.expect("COMPLETE");
      assertThat(read).isEqualTo(java.util.Arrays.copyOf(content, 2 * MIB));
    }
  }

  @Test
  void shouldGoOnWithAPutOverAnotherConnection() throws Exception {
    String command = "PUT resumed\nSession: " + UUID.randomUUID() + "\nSize: " + SIZE + "\n";
    long acked;
    try (RawClient client = RawClient.connect(node, clients)) {
      RawClient.Sending sending = client.put(command);
      client.write(sending, content, 20 * MIB);
      acked = sending.acked();
      // close_notify: the end of the stream
    }
    assertThat(acked).isPositive();
    // the same session is reached over both ports
    try (RawClient client = RawClient.connect(node)) {
      RawClient.Sending sending = client.put(command + "Offset: " + acked + "\n");
      assertThat(sending.acked()).isGreaterThanOrEqualTo(acked);
      client.write(sending, content, SIZE);
      client.complete(sending, SIZE);
    }
    assertThat(file("resumed")).hasBinaryContent(content);
  }

  @Test
  void shouldEndInOrderBehindAnError() throws Exception {
    try (RawClient client = RawClient.connect(node, clients)) {
      client.info("GET nothing\n");
      // end of stream by close_notify, or the socket would throw
      assertThat(client.error()).startsWith("not-found: ");
    }
  }

  @Test
  void shouldSayThatPlaintextIsOutOfPlace() throws Exception {
    try (Socket socket = tcp(node.tlsAddress().orElseThrow())) {
      socket.getOutputStream().write(new byte[] {2, 0, 0, 0, 5, 'L', 'I', 'S', 'T', '\n'});
      String answer = answer(socket);
      assertThat(answer.charAt(0)).isEqualTo('\u0001');
      assertThat(answer.substring(5))
          .isEqualTo(
              "bad-packet: plaintext on the port for TLS (expected: TLS, as `theseus --tls` speaks"
                  + " it, or the port without)");
    }
  }

  @Test
  void shouldSayThatTlsIsOutOfPlace() throws Exception {
    try (Socket socket = tcp(node.packetsAddress().orElseThrow())) {
      socket.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3});
      assertThat(answer(socket).substring(5))
          .isEqualTo(
              "bad-packet: packet type: 22 (expected: 1 to 4; TLS begins so, and has a port of its"
                  + " own)");
    }
  }

  @Test
  void shouldNotWaitForAClientThatBeginsNoTls() throws Exception {
    try (Socket socket = tcp(node.tlsAddress().orElseThrow())) {
      assertThat(answer(socket).substring(5))
          .isEqualTo("timeout: no TLS handshake for 2 s (expected: TLS, begun at once)");
    }
  }

  @Test
  void shouldNotWaitForAHandshakeThatStalls() throws Exception {
    try (Socket socket = tcp(node.tlsAddress().orElseThrow())) {
      OutputStream out = socket.getOutputStream();
      // the head of a record of 512 bytes, and a few of them
      out.write(new byte[] {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3});
      assertThat(answer(socket)).as("nothing readable").doesNotContain("bad-packet");
    }
  }

  private static X509Certificate shown() throws Exception {
    try (RawClient client = RawClient.connect(node, clients)) {
      return (X509Certificate) ((SSLSocket) client.socket()).getSession().getPeerCertificates()[0];
    }
  }

  private static Part part() {
    return node.status().parts().stream()
        .filter(part -> part.name().equals("certificate"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shouldTakeANewCertificateWithoutCuttingConnections() throws Exception {
    X509Certificate before = shown();
    assertThat(part().isNormal()).isTrue();
    assertThat(node.status().certificates())
        .containsEntry("packets", before.getNotAfter().toInstant().toString());
    try (RawClient old = RawClient.connect(node, clients)) {
      old.info("GET in\nWindow: 4000000\n").expect("READY");
      byte[] read = new byte[SIZE];
      long at = old.read(read, 0, 5 * MIB);

      // a key that does not belong to it: as if one file of two had been replaced
      String key = Files.readString(keys.key("node"));
      keys.make("other");
      TestKeys.replace(keys.key("node"), Files.readString(keys.key("other")));
      await().atMost(PATIENCE).until(() -> part().state().equals("not taken"));
      assertThat(part().reason())
          .startsWith("\"" + keys.key("node") + "\": not the key of the certificate (expected: ")
          .endsWith(
              "; the one before, valid until "
                  + before.getNotAfter().toInstant()
                  + ", stays in use");
      assertThat(shown()).isEqualTo(before);

      TestKeys.replace(keys.key("node"), key);
      await().atMost(PATIENCE).until(() -> part().isNormal());
      keys.make("node", List.of("127.0.0.1"), Instant.now().plus(Duration.ofDays(20)));
      await().atMost(PATIENCE).until(() -> !shown().equals(before));
      assertThat(part().state()).isEqualTo("expires soon");

      old.read(read, at, SIZE);
      old.expect("COMPLETE");
      assertThat(read).isEqualTo(content);
      keys.make("node");
      await().atMost(PATIENCE).until(() -> part().isNormal());
    }
  }

  @Test
  void shouldServeOthersAfterAClientThatTrustsAnotherAuthority() throws Exception {
    SSLSocketFactory strangers =
        TestKeys.in(directory.resolve("strangers")).make("node").clients("TLS");
    assertThatThrownBy(() -> RawClient.connect(node, strangers))
        .isInstanceOf(SSLException.class)
        .hasMessageContaining("PKIX path");
    try (RawClient client = RawClient.connect(node, clients)) {
      client.info("LIST\n").expect("LIST");
    }
  }
}
