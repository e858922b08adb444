package io.theseus.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.theseus.steps.Steps;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PortInUseTest {
  private static final String TABLE =
      """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 0100007F:1CF3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100
         1: 0100007F:1CF4 0100007F:1CF3 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100
      """;

  @Test
  void shouldNameTheOwnerAndTheSetting() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThat(PortInUse.message("127.0.0.1", taken.getLocalPort(), "theseus.packets.port"))
          .matches(
              "theseus\\.packets\\.port: "
                  + taken.getLocalPort()
                  + " \\(expected: a free port\\): 127\\.0\\.0\\.1:"
                  + taken.getLocalPort()
                  + " is in use by \".+\", process "
                  + ProcessHandle.current().pid()
                  + "\\. Stop that, or choose another port: --set packets\\.port=PORT");
    }
  }

  @Test
  void shouldSayWhenTheOwnerIsHidden(@TempDir Path proc) throws IOException {
    Files.createDirectories(proc.resolve("net"));
    Files.writeString(proc.resolve("net/tcp"), TABLE);
    Files.createDirectories(proc.resolve("17/fd"));
    Files.createSymbolicLink(proc.resolve("17/fd/3"), Path.of("socket:[4712]"));

    assertThat(PortInUse.message(proc, "::1", 7411, "theseus.packets.port"))
        .contains(
            "[::1]:7411 is in use by another program (its name is hidden: it runs as another");
  }

  @Test
  void shouldFindTheListenerAndNotAClient(@TempDir Path proc) throws IOException {
    Files.createDirectories(proc.resolve("net"));
    Files.writeString(proc.resolve("net/tcp"), TABLE);
    for (int pid : new int[] {17, 18}) {
      Files.createDirectories(proc.resolve(pid + "/fd"));
      Files.writeString(proc.resolve(pid + "/comm"), "name" + pid + "\n");
    }
    Files.createSymbolicLink(proc.resolve("17/fd/3"), Path.of("socket:[4712]"));
    Files.createSymbolicLink(proc.resolve("18/fd/9"), Path.of("socket:[4711]"));

    assertThat(PortInUse.message(proc, "127.0.0.1", 7411, "theseus.packets.port"))
        .contains("is in use by \"name18\", process 18.");
    assertThat(PortInUse.message(proc, "127.0.0.1", 7412, "theseus.packets.port"))
        .contains("is in use by another program (its name can't be found out).");
  }

  @Test
  void shouldKnowAPortInUseByItsCause() {
    assertThat(PortInUse.isCause(new IOException(new BindException("Address already in use"))))
        .isTrue();
    assertThat(PortInUse.isCause(new BindException("Cannot assign requested address"))).isFalse();
    assertThat(PortInUse.isCause(new IOException("in use"))).isFalse();
  }

  @Test
  void shouldRefuseToStartOnTakenPortsNamingThem(@TempDir Path directory) throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      for (String key : new String[] {"packets.port", "cluster.port"}) {
        NodeSettings settings =
            SettingsSource.defaults()
                .set("data-dir=" + directory)
                .set("packets.port=0")
                .set("cluster.port=0")
                .set(key + "=" + taken.getLocalPort())
                .read();

        assertThatExceptionOfType(StartException.class)
            .isThrownBy(() -> Node.start(settings, Steps.NONE).close())
            .withMessageStartingWith(
                "theseus."
                    + key
                    + ": "
                    + taken.getLocalPort()
                    + " (expected: a free port): 127.0.0.1:"
                    + taken.getLocalPort()
                    + " is in use by ")
            .withMessageContaining("process " + ProcessHandle.current().pid());
      }
    }
  }
}
