package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.admin.jmx.RunFile;
import io.theseus.testing.PacketSocket;
import java.io.File;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A JMX client that has none of our classes, in a process of its own, at a node in another one. */
@Tag("processes")
final class PlainJmxClientTest {
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abc");
  private static final String NOT_YET = "java.lang.IllegalStateException: upgrades are not built";

  @Test
  void shouldDoEveryVerb(@TempDir Path work) throws Exception {
    Path jar = Files.write(work.resolve("no.jar"), new byte[1 << 20]);
    try (TheseusProcess node = TheseusProcess.node(work)) {
      RunFile run = TheseusProcess.runFile(work.resolve("data"));
      try (PacketSocket client = new PacketSocket(address(run))) {
        client.info("PUT out\nSize: 10\nSession: " + SESSION + "\n");
        client.take("READY");
        List<String> said = runClient(work, run, jar);
        assertThat(said.get(0)).startsWith("Status {\"node\":\"node1\"");
        String sessions = said.get(1);
        assertThat(sessions).startsWith("sessions {");
        assertThat(
                new ObjectMapper()
                    .readTree(sessions.substring(sessions.indexOf('{')))
                    .at("/sessions/0/session")
                    .asText())
            .isEqualTo(SESSION.toString());
        List<String> upgrades = said.subList(2, said.size() - 3);
        assertThat(upgrades)
            .extracting(line -> line.substring(0, line.indexOf(' ')))
            .containsExactly(
                "preview",
                "preview",
                "upgrade",
                "upgrade",
                "promote",
                "rollback",
                "undo",
                "pause",
                "resume",
                "act",
                "history",
                "revisions");
        assertThat(upgrades).allSatisfy(line -> assertThat(line).contains(NOT_YET));
        assertThat(said.subList(said.size() - 3, said.size()))
            .containsExactly(
                "stopAccepting {\"nodes\":{\"node1\":\"done\"}}",
                "accept {\"nodes\":{\"node1\":\"done\"}}",
                "kill {\"node\":\"node1\"}");
        PacketSocket.Packet last = client.next();
        while (!(last instanceof PacketSocket.Refused)) {
          last = client.next();
        }
        assertThat(last)
            .isEqualTo(new PacketSocket.Refused("denied: ended by the operator, plain"));
        assertThat(node.process().isAlive()).isTrue();
      }
    }
  }

  private static InetSocketAddress address(RunFile run) {
    String port = run.packets().substring(run.packets().lastIndexOf(':') + 1);
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port));
  }

  /** Compiled and run with nothing on the class path but itself. */
  private static List<String> runClient(Path work, RunFile run, Path jar) throws Exception {
    Path classes = Files.createDirectory(work.resolve("classes"));
    assertThat(
            ToolProvider.getSystemJavaCompiler()
                .run(
                    null,
                    null,
                    null,
                    "--release",
                    "17",
                    "-cp",
                    classes.toString(),
                    "-d",
                    classes.toString(),
                    "src/test/resources/plain/PlainJmxClient.java"))
        .isZero();
    File out = work.resolve("client.out").toFile();
    Process client =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classes.toString(),
                "PlainJmxClient",
                run.url(),
                run.secret(),
                run.objectName(),
                SESSION.toString(),
                jar.toString())
            .redirectErrorStream(true)
            .redirectOutput(out)
            .start();
    assertThat(client.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String said = Files.readString(out.toPath());
    assertThat(client.exitValue()).as(said).isZero();
    return said.lines().toList();
  }
}
