package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.node.Node;
import io.theseus.node.SettingsSource;
import io.theseus.steps.Steps;
import io.theseus.testing.TestKeys;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client over TLS, and what it says of nodes that it doesn't trust. */
final class TlsCommandTest {
  private static final int MIB = 1 << 20;

  private static Path directory;
  private static TestKeys keys;
  private static Node node;
  private static String server;
  private static byte[] content;

  @BeforeAll
  static void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    keys = TestKeys.in(temporary.resolve("keys")).make("node");
    node =
        Node.start(
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("packets.tls.port=0")
                .set("packets.tls.certificate=" + keys.certificate("node"))
                .set("packets.tls.key=" + keys.key("node"))
                .set("cluster.port=0")
                .read(),
            Steps.NONE);
    server = "localhost:" + port(node.tlsAddress().orElseThrow());
    content = new byte[20 * MIB + 12_345];
    new Random(5).nextBytes(content);
    Files.write(directory.resolve("content"), content);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static String port(String address) {
    return address.substring(address.lastIndexOf(':') + 1);
  }

  private static Shell.Ran run(String... arguments) {
    return new Shell(server, directory).runExactly(arguments);
  }

  private static Shell.Ran runTls(String server, String... arguments) {
    return run(
        Stream.concat(
                Stream.of(arguments),
                Stream.of("--server", server, "--ca", keys.authority().toString()))
            .toArray(String[]::new));
  }

  /** The windows and packets of the client are cut anew by records. */
  @ParameterizedTest
  @ValueSource(strings = {"0", "100000", "32M"})
  void shouldPutAndGet(String window) throws Exception {
    String name = "put-" + window;
    Shell.Ran put =
        runTls(server, "put", directory.resolve("content").toString(), name, "--window", window);
    assertThat(put.exit()).as(put.err()).isZero();
    Path back = directory.resolve("back-" + window);
    Shell.Ran get = runTls(server, "get", name, "-o", back.toString(), "--window", window);
    assertThat(get.exit()).as(get.err()).isZero();
    assertThat(back).hasBinaryContent(content);
  }

  @Test
  void shouldGetIntoAPipeAndPutFromOne() throws Exception {
    Files.write(directory.resolve("files/in"), content);
    Shell.Ran get = runTls(server, "get", "in", "-o", "-");
    assertThat(get.exit()).as(get.err()).isZero();
    assertThat(get.data()).isEqualTo(content);
    Shell shell = new Shell(server, directory);
    shell.in = content;
    shell.environment.put("THESEUS_CA", keys.authority().toString());
    Shell.Ran put = shell.run("put", "-", "piped");
    assertThat(put.exit()).as(put.err()).isZero();
    assertThat(directory.resolve("files/piped")).hasBinaryContent(content);
  }

  @Test
  void shouldNotTrustAnotherAuthority() throws Exception {
    Path other = TestKeys.in(directory.resolve("other")).authority();
    Shell.Ran ran = run("ls", "--server", server, "--ca", other.toString(), "--retry-for", "1h");
    assertThat(ran.exit()).isEqualTo(ExitCode.UNREACHABLE.number());
    assertThat(ran.err())
        .isEqualTo(
            "ls: no TLS with "
                + server
                + ": its certificate is signed by \"CN=authority of a test\" (expected: by an"
                + " authority that is trusted)\n"
                + "--ca FILE names who signs the nodes' certificates; --server has to name a host"
                + " that stands in the node's.\n");
    // nor what Java trusts
    assertThat(run("ls", "--server", server, "--tls").err())
        .contains("its certificate is signed by \"CN=authority of a test\"");
  }

  @Test
  void shouldGoOnToANodeThatIsTrusted() throws Exception {
    try (Impostor expired =
        new Impostor(keys, List.of("localhost"), Instant.now().minusSeconds(60))) {
      Shell.Ran ran = runTls(expired.address() + "," + server, "ls");
      assertThat(ran.exit()).as(ran.err()).isZero();
    }
  }

  @Test
  void shouldRefuseACertificateThatExpired() throws Exception {
    Instant end = Instant.parse("2026-01-02T03:04:05Z");
    try (Impostor expired = new Impostor(keys, List.of("localhost"), end)) {
      assertThat(runTls(expired.address(), "ls").err())
          .startsWith(
              "ls: no TLS with "
                  + expired.address()
                  + ": its certificate expired at 2026-01-02T03:04:05Z (expected: one that is valid"
                  + " now)\n");
    }
  }

  @Test
  void shouldRefuseACertificateForAnotherHost() throws Exception {
    Instant end = Instant.now().plus(Duration.ofDays(1));
    try (Impostor other = new Impostor(keys, List.of("files.example", "192.0.2.1"), end)) {
      Shell.Ran ran = runTls(other.address(), "ls");
      assertThat(ran.exit()).isEqualTo(ExitCode.UNREACHABLE.number());
      assertThat(ran.err())
          .contains("its certificate is for files.example, 192.0.2.1 (expected: for localhost)");
    }
  }

  @Test
  void shouldSayThatTheOtherEndSpeaksNoTls() {
    String plain = "127.0.0.1:" + port(node.packetsAddress().orElseThrow());
    Shell.Ran ran = runTls(plain, "ls");
    assertThat(ran.exit()).isEqualTo(ExitCode.UNREACHABLE.number());
    assertThat(ran.err())
        .contains(
            "no TLS with "
                + plain
                + ": it speaks no TLS (expected: TLS; or leave it out, or name the port for TLS)");
  }

  @Test
  void shouldSayThatTheOtherEndSpeaksTlsAlone() {
    Shell.Ran ran = run("ls", "--server", server);
    assertThat(ran.exit()).isEqualTo(ExitCode.PROTOCOL.number());
    assertThat(ran.err()).contains("bad-packet: plaintext on the port for TLS (expected: TLS, as ");
  }

  @Test
  void shouldTakeNoTokenThatOthersMayRead() throws Exception {
    Path file = Files.writeString(directory.resolve("open"), "secret\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    Shell.Ran ran = runTls(server, "ls", "--token-file", file.toString());
    assertThat(ran.exit()).isEqualTo(ExitCode.USAGE.number());
    assertThat(ran.err())
        .contains(
            "--token-file: \""
                + file
                + "\": others may read it (expected: only its owner: chmod 600 "
                + file
                + ")")
        .doesNotContain("secret");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    // no file of tokens is configured at this node: any counts as none
    Shell.Ran owner = runTls(server, "ls", "--token-file", file.toString(), "--trace");
    assertThat(owner.exit()).as(owner.err()).isZero();
    assertThat(owner.err()).contains("Token: ...").doesNotContain("secret");
  }

  @Test
  void shouldSayWhatIsWrongWithTheFiles() throws Exception {
    Path empty = Files.createFile(directory.resolve("empty"));
    Files.setPosixFilePermissions(empty, PosixFilePermissions.fromString("rw-------"));
    assertThat(run("ls", "--ca", empty.toString()).err())
        .contains("--ca: \"" + empty + "\": no certificate (expected: a file with certificates in");
    assertThat(run("ls", "--ca", "nowhere.pem").err()).contains("--ca: \"nowhere.pem\": missing");
    assertThat(run("ls", "--token-file", empty.toString()).err())
        .contains("--token-file: \"" + empty + "\": no token (expected: one line)");
    assertThat(run("ls", "--token-file", "nowhere").err())
        .contains("--token-file: \"nowhere\": can't be read (expected: a file with a token)");
  }

  /** A server that shakes hands and does nothing else. */
  private static final class Impostor implements AutoCloseable {
    private final ServerSocket socket;
    private final SSLSocketFactory tls;

    Impostor(TestKeys keys, List<String> hosts, Instant expires) throws IOException {
      keys.make("impostor", hosts, expires);
      tls = keys.server("impostor");
      socket = new ServerSocket(0, 10, InetAddress.getByName("localhost"));
      Thread thread = new Thread(this::serve, "impostor");
      thread.setDaemon(true);
      thread.start();
    }

    String address() {
      return "localhost:" + socket.getLocalPort();
    }

    private void serve() {
      while (!socket.isClosed()) {
        try (Socket accepted = socket.accept();
            SSLSocket secured = (SSLSocket) tls.createSocket(accepted, null, 0, false)) {
          secured.setUseClientMode(false);
          secured.startHandshake();
        } catch (IOException e) {
          // refused, as it should be
        }
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
