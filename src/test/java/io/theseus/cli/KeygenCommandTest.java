package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.access.Tokens;
import io.theseus.node.Node;
import io.theseus.node.SettingsSource;
import io.theseus.steps.Steps;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What keygen makes, and that it works. */
final class KeygenCommandTest {
  private Path directory;
  private Shell shell;

  @BeforeEach
  void open(@TempDir Path temporary) {
    directory = temporary;
    shell = new Shell("127.0.0.1:1", temporary);
  }

  private List<String> files(Path lab) throws Exception {
    try (Stream<Path> files = Files.list(lab)) {
      return files.map(each -> each.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void shouldMakeAWorkingSet() throws Exception {
    Path lab = directory.resolve("my lab");

    Shell.Ran ran = shell.runExactly("keygen", "lab", lab.toString());

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(files(lab))
        .containsExactly(
            "ca-key.pem", "ca.pem", "node1-key.pem", "node1.conf", "node1.pem", "token", "tokens");
    for (String file : files(lab)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(lab.resolve(file))))
          .isEqualTo("rw-------");
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(lab)))
        .isEqualTo("rwx------");
    assertThat(ran.lines())
        .contains(
            "  theseus node --config '" + lab.resolve("node1.conf") + "'",
            "  theseus ls --server localhost:7421 --ca '"
                + lab.resolve("ca.pem")
                + "' --token-file '"
                + lab.resolve("token")
                + "'");

    SettingsSource source =
        SettingsSource.defaults()
            .file(lab.resolve("node1.conf"))
            .set("data-dir=" + directory.resolve("data"))
            .set("packets.port=0")
            .set("packets.tls.port=0")
            .set("packets.tls.advertise=")
            .set("cluster.port=0");
    try (Node node = Node.start(source.read(), Steps.NONE)) {
      String address = node.tlsAddress().orElseThrow();
      String server = "localhost" + address.substring(address.lastIndexOf(':'));
      Path file = Files.writeString(directory.resolve("file"), "content");
      String[] end = {
        "--server",
        server,
        "--ca",
        lab.resolve("ca.pem").toString(),
        "--token-file",
        lab.resolve("token").toString()
      };
      Shell.Ran put =
          shell.runExactly(
              Stream.concat(Stream.of("put", file.toString()), Stream.of(end))
                  .toArray(String[]::new));
      assertThat(put.exit()).as(put.err()).isZero();
      Shell.Ran ls =
          shell.runExactly(Stream.concat(Stream.of("ls"), Stream.of(end)).toArray(String[]::new));
      assertThat(ls.lines()).containsExactly("file");
      Shell.Ran without =
          shell.runExactly("ls", "--server", server, "--ca", lab.resolve("ca.pem").toString());
      assertThat(without.exit()).isEqualTo(ExitCode.DENIED.number());
      assertThat(without.err())
          .contains("denied: LIST with no token (expected: a token with the scope read)")
          .contains("--token-file FILE");
    }
  }

  @Test
  void shouldMakeAClusterWhoseNodesHaveTheirPorts() {
    Path lab = directory.resolve("lab");
    Shell.Ran ran =
        shell.runExactly(
            "keygen",
            "lab",
            lab.toString(),
            "--host",
            "localhost",
            "--host",
            "::1",
            "--host",
            "localhost");

    assertThat(ran.exit()).as(ran.err()).isZero();
    var third = SettingsSource.defaults().file(lab.resolve("node3.conf")).read();
    assertThat(third.packets().port()).isEqualTo(7412);
    assertThat(third.packets().tls().orElseThrow().port()).isEqualTo(7422);
    assertThat(third.cluster().seedNodes())
        .containsExactly("localhost:25511", "[::1]:25511", "localhost:25512");
    assertThat(third.cluster().tls().orElseThrow().hosts())
        .containsExactlyInAnyOrder("localhost", "::1");
  }

  @Test
  void shouldNeverOverwrite() throws Exception {
    Path lab = Files.createDirectory(directory.resolve("lab"));
    Path kept = Files.writeString(lab.resolve("node1-key.pem"), "precious");

    Shell.Ran ran = shell.runExactly("keygen", "lab", lab.toString());

    assertThat(ran.exit()).isEqualTo(ExitCode.PRECONDITION.number());
    assertThat(ran.err())
        .startsWith(
            "theseus keygen lab: \"" + kept + "\" exists already (expected: nothing there)\n");
    assertThat(files(lab)).containsExactly("node1-key.pem");
    assertThat(kept).hasContent("precious");
  }

  @Test
  void shouldMakeATokenAndItsLine() throws Exception {
    Path file = directory.resolve("camera");
    Shell.Ran ran =
        shell.runExactly(
            "keygen",
            "token",
            "camera",
            "--scopes",
            "write",
            "--prefix",
            "camera/",
            "--prefix",
            "old camera/",
            "--until",
            "2027-06-30",
            "-o",
            file.toString());

    assertThat(ran.exit()).as(ran.err()).isZero();
    String token = Files.readString(file).strip();
    assertThat(ran.lines())
        .containsExactly(
            "camera "
                + Tokens.hash(token)
                + " write until=2027-06-30 prefix=camera/ prefix=\"old camera/\"");
    assertThat(Tokens.read(file, ran.out().getBytes(StandardCharsets.UTF_8)).size()).isEqualTo(1);
    assertThat(ran.err()).doesNotContain(token).contains("--token-file");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  @Test
  void shouldSayWhatIsWrong() {
    String lab = directory.resolve("lab").toString();
    bad("--host: 'a:1/b' (expected: a name or an address", "lab", lab, "--host", "a:1/b");
    bad("--days: 0 (expected: 1 to 3650)", "lab", lab, "--days", "0");
    bad("name: \"a b\" (expected: 1 to 64 of", "token", "a b");
    bad("until: \"soon\" (expected: a last day", "token", "a", "--until", "soon");
    bad("what to make: missing (expected: lab, token)");
  }

  private void bad(String message, String... arguments) {
    Shell.Ran ran =
        shell.runExactly(
            Stream.concat(Stream.of("keygen"), Stream.of(arguments)).toArray(String[]::new));
    assertThat(ran.exit()).as(ran.err()).isEqualTo(ExitCode.USAGE.number());
    assertThat(ran.err()).contains(message).contains("Try: theseus keygen");
  }
}
