package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

final class PutCommandTest {
  private static final Instant MODIFIED = Instant.parse("2026-01-02T03:04:05.678Z");

  private Path dir;
  private FolderServer server;
  private Shell shell;

  @BeforeEach
  void start(@TempDir Path temporary) {
    dir = temporary;
    server = new FolderServer();
    shell = new Shell(server, dir.resolve("state"));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static byte[] bytes(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private Path file(String name, byte[] bytes) throws IOException {
    Path file = dir.resolve(name);
    Path parent = file.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.write(file, bytes);
    Files.setLastModifiedTime(file, FileTime.from(MODIFIED));
    return file;
  }

  private byte[] there(String name) {
    FolderServer.Entry entry = server.files.get(name);
    return entry == null ? new byte[0] : entry.bytes();
  }

  private Instant modified(String name) {
    FolderServer.Entry entry = server.files.get(name);
    return entry == null ? Instant.EPOCH : entry.modified();
  }

  @Test
  void shouldPutAFileWithItsTimeUnderItsOwnName() throws IOException {
    byte[] content = bytes(300_000, 1);
    Path file = file("a b.jpg", content);

    Shell.Ran ran = shell.run("put", file.toString());

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err()).contains(file + " -> a b.jpg: 293.0 KiB in ", "as the node says");
    assertThat(there("a b.jpg")).isEqualTo(content);
    assertThat(modified("a b.jpg")).isEqualTo(MODIFIED);
  }

  @Test
  void shouldPutUnderANameAndIntoAFolder() throws IOException {
    Path file = file("a", bytes(10, 1));

    assertThat(shell.run("put", file.toString(), "x/y").exit()).isZero();
    assertThat(shell.run("put", file.toString(), "photos/").exit()).isZero();

    assertThat(server.files.keySet()).containsExactly("photos/a", "x/y");
  }

  @Test
  void shouldPutStandardInput() {
    shell.in = bytes(150_000, 2);

    Shell.Ran ran = shell.run("put", "-", "in");

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(there("in")).isEqualTo(shell.in);
    assertThat(server.texts.get(0)).contains("Producer: stream").doesNotContain("\nSize:");
    assertThat(ran.err()).contains("standard input -> in: ");
  }

  @Test
  @Timeout(60)
  void shouldPutANamedPipeAsAStream() throws IOException, InterruptedException {
    Path fifo = dir.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
    byte[] content = bytes(100_000, 3);
    Path source = file("source", content);
    Process writer =
        new ProcessBuilder("sh", "-c", "cat '" + source + "' > '" + fifo + "'").start();

    Shell.Ran ran = shell.run("put", fifo.toString(), "from-pipe");

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(writer.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(there("from-pipe")).isEqualTo(content);
  }

  @Test
  void shouldKeepThePreconditions() throws IOException {
    Path file = file("a", bytes(10, 1));
    FolderServer.Entry old = server.add("a", bytes(5, 2), MODIFIED.toString());

    Shell.Ran absent = shell.run("put", file.toString(), "--if-absent");
    assertThat(absent.exit()).isEqualTo(ExitCode.PRECONDITION.number());
    assertThat(absent.err()).contains("put: ").contains("exists: a").contains("leave out --if");

    Shell.Ran changed = shell.run("put", file.toString(), "--if-identity", "other");
    assertThat(changed.exit()).isEqualTo(ExitCode.PRECONDITION.number());
    assertThat(changed.err()).contains("changed").contains("`theseus stat NAME` shows");

    assertThat(there("a")).isEqualTo(bytes(5, 2));
    assertThat(shell.run("put", file.toString(), "--if-identity", old.identity()).exit()).isZero();
    assertThat(there("a")).isEqualTo(bytes(10, 1));
    assertThat(shell.run("put", file.toString(), "b", "--if-absent").exit()).isZero();
  }

  @Test
  void shouldSayWhatIsWrongHere() throws IOException {
    Files.createDirectories(dir.resolve("d"));

    Shell.Ran none = shell.run("put", dir.resolve("none").toString());
    assertThat(none.exit()).isEqualTo(ExitCode.LOCAL_IO.number());
    assertThat(none.err()).contains("none: there is no such file here");

    Shell.Ran directory = shell.run("put", dir.resolve("d").toString());
    assertThat(directory.exit()).isEqualTo(ExitCode.USAGE.number());
    assertThat(directory.err()).contains("-r puts a whole directory", "Try: theseus put --help");
  }

  @Test
  void shouldGoOnWithTheSessionOfAnEarlierRun() throws IOException {
    byte[] content = bytes(9 << 20, 4);
    Path file = file("big", content);
    server.cutAfter = 5 << 20;
    server.cuts.set(1);

    Shell.Ran first = shell.run("put", file.toString(), "--attempts", "0");

    assertThat(first.exit()).isEqualTo(ExitCode.UNREACHABLE.number());
    assertThat(first.err()).contains("Go on with: theseus put " + file);
    assertThat(server.files).isEmpty();

    Shell.Ran second = shell.run("put", file.toString(), "--continue", "--json");

    assertThat(second.exit()).as(second.err()).isZero();
    assertThat(second.err()).contains("The node has ").contains("already; going on there.");
    assertThat(second.out()).containsPattern("\"resumedFrom\":[1-9]");
    assertThat(there("big")).isEqualTo(content);
    try (var records = Files.list(dir.resolve("state/theseus/puts"))) {
      assertThat(records).isEmpty();
    }
  }

  @Test
  void shouldBeginAnewWhereTheFileChangedSince() throws IOException {
    Path file = file("big", bytes(9 << 20, 4));
    server.cutAfter = 5 << 20;
    server.cuts.set(1);
    assertThat(shell.run("put", file.toString(), "--attempts", "0").exit()).isEqualTo(6);
    byte[] changed = bytes(9 << 20, 5);
    Files.write(file, changed);

    Shell.Ran second = shell.run("put", file.toString(), "--continue");

    assertThat(second.exit()).as(second.err()).isZero();
    assertThat(second.err()).doesNotContain("already");
    assertThat(there("big")).isEqualTo(changed);
  }

  @Test
  void shouldReconnectByItself() throws IOException {
    byte[] content = bytes(400_000, 6);
    Path file = file("a", content);
    server.cutAfter = 150_000;
    server.cuts.set(2);

    Shell.Ran ran = shell.run("put", file.toString());

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(ran.err()).contains("Connection lost: ", ", 2 reconnects");
    assertThat(there("a")).isEqualTo(content);
  }

  // ---- folders

  @Test
  void shouldPutAFolderAndLeaveOutWhatIsNoFile() throws IOException, InterruptedException {
    file("album/a", bytes(10_000, 1));
    file("album/sub/b c", bytes(20_000, 2));
    file("album/sub/.hidden", bytes(10, 3));
    file("album/.x.theseus-part", bytes(10, 3));
    Files.createSymbolicLink(dir.resolve("album/link"), dir.resolve("album/a"));
    Files.createSymbolicLink(dir.resolve("album/loop"), dir.resolve("album"));
    Files.createDirectories(dir.resolve("album/empty"));
    String fifo = dir.resolve("album/fifo").toString();
    assertThat(new ProcessBuilder("mkfifo", fifo).start().waitFor()).isZero();

    Shell.Ran ran = shell.run("put", "-r", dir.resolve("album").toString(), "photos/2026");

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(server.files.keySet())
        .containsExactly("photos/2026/a", "photos/2026/sub/.hidden", "photos/2026/sub/b c");
    assertThat(modified("photos/2026/sub/b c")).isEqualTo(MODIFIED);
    assertThat(ran.err())
        .contains("3 files, ")
        .contains("; 5 left out.")
        .contains("link  a symbolic link")
        .contains("loop  a symbolic link")
        .contains("fifo  a pipe, socket or device")
        .contains("empty/  an empty directory")
        .contains(".x.theseus-part  the part of an unfinished get");
  }

  @Test
  void shouldNameAFolderAfterItself() throws IOException {
    file("album/a", bytes(10, 1));

    assertThat(shell.run("put", "-r", dir.resolve("album").toString()).exit()).isZero();
    assertThat(shell.run("put", "-r", dir.resolve("album").toString(), "").exit()).isZero();

    assertThat(server.files.keySet()).containsExactly("a", "album/a");
  }

  @Test
  void shouldSkipWhatIsThereWholeOnContinue() throws IOException {
    for (int i = 0; i < 5; i++) {
      file("f/" + i, bytes(1000, i));
    }
    server.add("f/1", bytes(1000, 1), MODIFIED.toString());
    server.add("f/2", bytes(999, 2), MODIFIED.toString());
    server.add("f/3", bytes(1000, 9), "2026-01-02T03:04:06.678Z");

    Shell.Ran ran = shell.run("put", "-r", dir.resolve("f").toString(), "--continue");

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(ran.err()).contains("4 files, ").contains("1 the same already");
    assertThat(server.commands).doesNotContain("PUT f/1").contains("PUT f/2", "PUT f/3");
    assertThat(there("f/3")).isEqualTo(bytes(1000, 3));
  }

  @Test
  void shouldGoOnAfterOneFileFailedAndListIt() throws IOException {
    file("f/a", bytes(10, 1));
    file("f/b", bytes(10, 2));
    file("f/back\\slash", bytes(10, 3));
    server.refusals.put("PUT f/a", "exists: f/a (expected: no folder of that name)");

    Shell.Ran ran = shell.run("put", "-r", dir.resolve("f").toString(), "--json");

    assertThat(ran.exit()).isEqualTo(ExitCode.SOME_FAILED.number());
    assertThat(there("f/b")).isEqualTo(bytes(10, 2));
    assertThat(ran.err()).contains("Failed:").contains("  f/a  ").contains("no backslash");
    assertThat(ran.lines()).hasSize(4);
    assertThat(ran.lines().get(3)).contains("\"complete\":1", "\"failed\":2", "\"exitCode\":10");
  }

  @Test
  void shouldStopWhereTheNodeIsFull() throws IOException {
    file("f/a", bytes(10, 1));
    file("f/b", bytes(10, 2));
    server.refusals.put("PUT f/a", "no-space: 10 bytes (expected: at most 0)");

    Shell.Ran ran =
        shell.run("put", "-r", dir.resolve("f").toString(), "--retry-for", "0s", "--quiet");

    assertThat(ran.exit()).isEqualTo(ExitCode.NO_SPACE.number());
    assertThat(ran.err()).contains("Not tried any more: 1 file.");
    assertThat(server.files).isEmpty();
  }

  @Test
  void shouldLeaveWhatIsThereWithIfAbsent() throws IOException {
    file("f/a", bytes(10, 1));
    file("f/b", bytes(10, 2));
    server.add("f/a", bytes(5, 5), MODIFIED.toString());

    Shell.Ran ran = shell.run("put", "-r", dir.resolve("f").toString(), "--if-absent");

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(ran.err()).contains("f/a  there already");
    assertThat(there("f/a")).isEqualTo(bytes(5, 5));
    assertThat(there("f/b")).isEqualTo(bytes(10, 2));
  }

  @Test
  void shouldNotSendANameThatIsNoText() throws IOException, InterruptedException {
    Path folder = Files.createDirectories(dir.resolve("f"));
    file("f/good", bytes(10, 1));
    String script = "cd '" + folder + "' && : > \"$(printf 'b\\351d')\"";
    assertThat(new ProcessBuilder("sh", "-c", script).start().waitFor()).isZero();

    Shell.Ran ran = shell.run("put", "-r", folder.toString());

    assertThat(ran.exit()).isEqualTo(ExitCode.SOME_FAILED.number());
    assertThat(ran.err()).contains("a name that is not UTF-8");
    assertThat(server.files.keySet()).containsExactly("f/good");
  }

  @Test
  void shouldSendAFileOfNoBytes() throws IOException {
    Path file = file("empty", new byte[0]);

    assertThat(shell.run("put", file.toString()).exit()).isZero();

    assertThat(there("empty")).isEqualTo("".getBytes(StandardCharsets.UTF_8));
    assertThat(server.files).containsKey("empty");
  }
}
