package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.cli.ExitCode;
import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.RawGet;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer.End;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that must not start, and those that they would disturb; row 11 of the faults. */
@Tag("processes")
final class StartTest {
  private static final Content CONTENT = Content.random(20, 1 << 20);

  @Test
  void shouldRefuseASecondProcessOnOneDataDirectory(@TempDir Path directory) {
    try (NodeProcess first = NodeProcess.start(directory.resolve("first"))) {
      RawPut put = new RawPut("file", CONTENT, /* sized= */ true, 64 << 10, 64 << 10);
      assertThat(put.run(first.address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);

      NodeProcess.Refusal second =
          NodeProcess.refused(directory.resolve("second"), first.dataDir(), "node.id=node2");

      assertThat(second.exitCode()).isEqualTo(ExitCode.CANT_START.number());
      assertThat(second.output())
          .contains(
              "theseus.data-dir: \""
                  + first.dataDir()
                  + "\" is in use by node \"node1\", process "
                  + first.pid()
                  + " (expected: one node for each directory): stop that node, or give this one"
                  + " another theseus.data-dir");
      // the first one was not disturbed: neither its files, nor its session, nor its status
      assertThat(first.isAlive()).isTrue();
      assertThat(put.run(first.address())).isEqualTo(End.COMPLETE);
      assertThat(first.liveSessions()).isNotNegative();
    }
  }

  /** Two data directories with one root: the files are one node's as well. */
  @Test
  void shouldRefuseASecondProcessOnOneRoot(@TempDir Path directory) throws IOException {
    Path root = Files.createDirectories(directory.resolve("root"));
    try (NodeProcess first = NodeProcess.start(directory.resolve("first"), "store.root=" + root)) {

      NodeProcess.Refusal second =
          NodeProcess.refused(
              directory.resolve("second"), directory.resolve("data"), "store.root=" + root);

      assertThat(second.exitCode()).isEqualTo(ExitCode.CANT_START.number());
      assertThat(second.output())
          .contains("The node's files can't be used: ")
          .contains(root.toString());
      RawPut put = new RawPut("file", CONTENT, /* sized= */ true, 64 << 10, 1 << 20);
      assertThat(put.run(first.address())).isEqualTo(End.COMPLETE);
    }
  }

  @Test
  void shouldNameWhoHasItsPortAndStartWhenItIsFree(@TempDir Path directory) throws IOException {
    try (NodeProcess node = NodeProcess.start(directory.resolve("node"))) {
      RawPut put = new RawPut("file", CONTENT, /* sized= */ false, 64 << 10, 64 << 10);
      assertThat(put.run(node.address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);
      int port = node.address().getPort();
      node.kill();
      try (ServerSocket taken = new ServerSocket()) {
        taken.setReuseAddress(true);
        taken.bind(node.address());

        NodeProcess.Refusal refusal =
            NodeProcess.refused(directory.resolve("again"), node.dataDir(), "packets.port=" + port);

        assertThat(refusal.exitCode()).isEqualTo(ExitCode.CANT_START.number());
        assertThat(refusal.output())
            .contains(
                "theseus.packets.port: "
                    + port
                    + " (expected: a free port): 127.0.0.1:"
                    + port
                    + " is in use by \"java\", process "
                    + ProcessHandle.current().pid()
                    + ". Stop that, or choose another port: --set packets.port=PORT");
      }

      node.restart();

      assertThat(put.run(node.address())).as(put.loss()).isEqualTo(End.COMPLETE);
      RawGet get = new RawGet("file", CONTENT, 1 << 20, 64 << 10);
      assertThat(get.run(node.address())).isEqualTo(End.COMPLETE);
    }
  }

  @Test
  void shouldGoOnWhenItWakesUp(@TempDir Path directory) throws Exception {
    try (NodeProcess node = NodeProcess.start(directory.resolve("node"))) {
      RawPut put = new RawPut("file", CONTENT, /* sized= */ true, 16 << 10, 16 << 10);
      assertThat(put.run(node.address(), CONTENT.size() / 4)).isEqualTo(End.LEFT);
      node.pause();
      FutureTask<End> end = new FutureTask<>(() -> put.run(node.address()));
      new Thread(end, "client").start();
      node.resume();

      assertThat(end.get(2, TimeUnit.MINUTES)).as(put.loss()).isEqualTo(End.COMPLETE);
    }
  }
}
