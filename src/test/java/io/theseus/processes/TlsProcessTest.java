package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.node.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node and its clients over TLS, with what keygen made, as a person runs them. */
@Tag("processes")
class TlsProcessTest {
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final ObjectMapper JSON = new ObjectMapper();

  private Path work;
  private int port;

  @BeforeEach
  void make(@TempDir Path temporary) throws Exception {
    work = temporary;
    port = TestCluster.freePorts(1).get(0);
    try (TheseusProcess keygen = TheseusProcess.start(work, Map.of(), "keygen", "lab", "lab")) {
      assertThat(keygen.exitCode()).as(keygen.err()).isZero();
    }
  }

  private TheseusProcess node() throws IOException {
    return TheseusProcess.node(
        work,
        "--config",
        "lab/node1.conf",
        "--set",
        "data-dir=data",
        "--set",
        "packets.tls.port=" + port,
        "--set",
        "packets.tls.advertise=localhost:" + port);
  }

  private TheseusProcess theseus(String... arguments) throws IOException {
    return TheseusProcess.start(
        work,
        Map.of(
            "THESEUS_SERVER",
            "localhost:" + port,
            "THESEUS_CA",
            "lab/ca.pem",
            "THESEUS_TOKEN_FILE",
            "lab/token",
            "XDG_STATE_HOME",
            work.resolve("state").toString()),
        arguments);
  }

  @Test
  void shouldGoOnOverTlsWhenTheNodeWasKilled() throws Exception {
    byte[] content = new byte[24 << 20];
    new Random(3).nextBytes(content);
    Files.write(work.resolve("source"), content);
    TheseusProcess node = node();
    try {
      try (TheseusProcess put =
          theseus("put", "source", "up", "--limit-rate", "6M", "--trace", "--json")) {
        await().atMost(LONG).until(() -> put.err().matches("(?s).*\n< OFFSET [1-9].*"));
        node.kill();
        node = node();
        assertThat(put.exitCode()).as(put.err()).isZero();
        JsonNode result = JSON.readTree(put.out());
        assertThat(result.get("reconnects").asInt()).isPositive();
        // the token is nowhere to be seen
        assertThat(put.err()).contains("Token: ...").doesNotContain("thst_");
      }
      assertThat(work.resolve("data/files/up")).hasBinaryContent(content);
      try (TheseusProcess get =
          theseus("get", "up", "-o", "back", "--limit-rate", "6M", "--trace", "--json")) {
        Path part = work.resolve(".back.theseus-part");
        await().atMost(LONG).until(() -> Files.exists(part) && Files.size(part) > 2 << 20);
        node.kill();
        node = node();
        assertThat(get.exitCode()).as(get.err()).isZero();
        assertThat(JSON.readTree(get.out()).get("reconnects").asInt()).isPositive();
      }
      assertThat(work.resolve("back")).hasBinaryContent(content);
      assertThat(node.err()).doesNotContain("thst_", "Exception");
    } finally {
      node.close();
    }
  }

  /** Clients of other making agree about the certificate and the protocols. */
  @Test
  void shouldBeAcceptedByOpenssl() throws Exception {
    try (TheseusProcess node = node()) {
      for (String protocol : new String[] {"-tls1_3", "-tls1_2"}) {
        assertThat(openssl(protocol))
            .contains("Verification: OK", "Verified peername: localhost")
            .doesNotContain("no peer certificate available");
      }
      assertThat(openssl("-tls1_1")).contains("no peer certificate available");
      assertThat(node.process().isAlive()).isTrue();
    }
  }

  private String openssl(String protocol) throws IOException, InterruptedException {
    Path out = Files.createTempFile(work, "openssl", ".out");
    Process process;
    try {
      process =
          new ProcessBuilder(
                  "openssl",
                  "s_client",
                  protocol,
                  "-connect",
                  "localhost:" + port,
                  "-CAfile",
                  "lab/ca.pem",
                  "-verify_hostname",
                  "localhost",
                  "-verify_return_error")
              .directory(work.toFile())
              .redirectErrorStream(true)
              .redirectInput(Path.of("/dev/null").toFile())
              .redirectOutput(out.toFile())
              .start();
    } catch (IOException e) {
      assumeTrue(false, "openssl is not installed: no TLS of other making");
      throw e;
    }
    assertThat(process.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
    return Files.readString(out);
  }
}
