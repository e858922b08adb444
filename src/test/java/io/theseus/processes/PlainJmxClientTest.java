package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.admin.jmx.RunFile;
import io.theseus.admin.jmx.RunRegistry;
import io.theseus.admin.jmx.StatusClient;
import io.theseus.module.ModuleKey;
import io.theseus.module.ModuleVersion;
import io.theseus.module.SourceCompiler;
import io.theseus.testing.PacketSocket;
import java.io.File;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
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
  private static final String CHANNEL =
      """
      import io.theseus.channel.DataChannel;
      import io.theseus.channel.Progress;
      import io.theseus.channel.Range;

      public final class Plain implements DataChannel {
        @Override
        public Range next(Progress progress) {
          long left = progress.end() - progress.position();
          return new Range(progress.position(), (int) Math.min(left, 1024));
        }
      }
      """;

  @Test
  void shouldDoEveryVerb(@TempDir Path work) throws Exception {
    try (TheseusProcess node = TheseusProcess.node(work)) {
      RunFile run = TheseusProcess.runFile(work.resolve("data"));
      StatusClient status =
          new StatusClient(work, new RunRegistry(work.resolve("none")), Duration.ofSeconds(10));
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> status.status(run).cluster().waitsFor().isEmpty());
      Path jar = Files.write(work.resolve("plain.jar"), module(run));
      try (PacketSocket client = new PacketSocket(address(run))) {
        client.info("PUT out\nSize: 10\nSession: " + SESSION + "\n");
        client.take("READY");
        Iterator<String> said = runClient(work, run, jar).iterator();
        see(said, "Status", "{\"node\":\"node1\"");
        see(said, "sessions", "\"session\":\"" + SESSION + "\"");
        see(said, "preview", "\"changes\":[\"channel: standard -> plain@1.0\"]");
        see(said, "preview", "\"changes\":[\"channel: standard -> plain@1.0\"]");
        for (String act :
            List.of("pause", "resume", "upgrade", "undo", "upgrade", "promote", "rollback")) {
          see(said, act, "\"who\":\"plain\"", "\"phase\":\"confirmed\"");
        }
        see(said, "rollback", "java.lang.IllegalStateException: revision: \"nothing\" is none");
        assertThat(said.next()).isEqualTo("act ");
        see(said, "history", "\"what\":\"rollback to standard");
        see(said, "revisions", "\"name\":\"plain@1.0\"", "\"state\":\"serving\"");
        see(said, "stopAccepting", "{\"nodes\":{\"node1\":\"done\"}}");
        see(said, "accept", "{\"nodes\":{\"node1\":\"done\"}}");
        see(said, "kill", "{\"node\":\"node1\"}");
        assertThat(said).isExhausted();
        PacketSocket.Packet last = client.next();
        while (!(last instanceof PacketSocket.Refused)) {
          last = client.next();
        }
        assertThat(last).isEqualTo(new PacketSocket.Refused("denied: ended by plain"));
        assertThat(node.process().isAlive()).isTrue();
      }
    }
  }

  private static void see(Iterator<String> said, String verb, String... parts) {
    assertThat(said.next()).startsWith(verb + " ").contains(parts);
  }

  /** What the node accepts: its lab key signed it. */
  private static byte[] module(RunFile run) throws Exception {
    return SourceCompiler.ofThisJava()
        .compile("Plain.java", CHANNEL, new ModuleVersion("1.0"))
        .module()
        .sign(ModuleKey.read(Path.of(run.labKey())), Optional.empty())
        .bytes();
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
