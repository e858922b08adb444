package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GetCommandTest {
  private static final String MODIFIED = "2026-01-02T03:04:05.678Z";

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

  @Test
  void shouldGetAFileWithItsTime() throws IOException {
    byte[] content = bytes(300_000, 1);
    server.add("photos/a.jpg", content, MODIFIED);
    Path target = dir.resolve("out.jpg");

    Shell.Ran ran = shell.run("get", "photos/a.jpg", "-o", target.toString());

    assertThat(ran.err()).contains("photos/a.jpg -> " + target, "SHA-256 ", "as the node says");
    assertThat(ran.exit()).isZero();
    assertThat(ran.out()).isEmpty();
    assertThat(target).hasBinaryContent(content);
    assertThat(Files.getLastModifiedTime(target).toInstant()).isEqualTo(Instant.parse(MODIFIED));
  }

  @Test
  void shouldWriteIntoADirectoryUnderTheLastPartOfTheName() {
    byte[] content = bytes(10, 2);
    server.add("photos/a.jpg", content, MODIFIED);

    Shell.Ran ran = shell.run("get", "photos/a.jpg", "-o", dir.toString());

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(dir.resolve("a.jpg")).hasBinaryContent(content);
  }

  @Test
  void shouldStreamToStandardOutputAndSayNothingElse() {
    byte[] content = bytes(200_000, 3);
    server.add("a", content, MODIFIED);

    Shell.Ran ran = shell.run("get", "a", "-o", "-");

    assertThat(ran.exit()).isZero();
    assertThat(ran.data()).isEqualTo(content);
    assertThat(ran.err()).isEmpty();
    assertThat(server.texts.get(0)).contains("Consumer: stream");
  }

  @Test
  void shouldLeaveAFileThatIsTheSame() throws IOException {
    server.add("a", bytes(10, 4), MODIFIED);
    Path target = dir.resolve("a");
    Files.write(target, new byte[10]);
    Files.setLastModifiedTime(target, FileTime.from(Instant.parse(MODIFIED)));

    Shell.Ran ran = shell.run("get", "a", "-o", target.toString());

    assertThat(ran.exit()).isZero();
    assertThat(ran.err()).contains("nothing to do").contains("is the same already");
    assertThat(target).hasBinaryContent(new byte[10]);
    assertThat(server.commands).containsExactly("STAT a");
  }

  @Test
  void shouldReplaceTheSameFileWhenForced() throws IOException {
    byte[] content = bytes(10, 4);
    server.add("a", content, MODIFIED);
    Path target = dir.resolve("a");
    Files.write(target, new byte[10]);
    Files.setLastModifiedTime(target, FileTime.from(Instant.parse(MODIFIED)));

    assertThat(shell.run("get", "a", "-o", target.toString(), "--force").exit()).isZero();

    assertThat(target).hasBinaryContent(content);
  }

  @Test
  void shouldReplaceADifferentFileThatWasNamed() throws IOException {
    byte[] content = bytes(20, 5);
    server.add("a", content, MODIFIED);
    Path target = Files.write(dir.resolve("a"), new byte[] {1, 2, 3});

    assertThat(shell.run("get", "a", "-o", target.toString()).exit()).isZero();

    assertThat(target).hasBinaryContent(content);
  }

  @Test
  void shouldNotReplaceADifferentFileThatWasNotNamed() throws IOException {
    server.add("a", bytes(20, 5), MODIFIED);
    Path target = Files.write(dir.resolve("a"), new byte[] {1, 2, 3});

    Shell.Ran ran = shell.run("get", "a", "-o", dir.toString());

    assertThat(ran.exit()).isEqualTo(ExitCode.PRECONDITION.number());
    assertThat(ran.err())
        .contains("get: " + target + ": is here already and differs (3 bytes of ")
        .contains("on the node 20 bytes of " + MODIFIED)
        .contains("--force replaces it");
    assertThat(target).hasBinaryContent(new byte[] {1, 2, 3});
  }

  @Test
  void shouldWriteThroughALinkThatWasNamed() throws IOException {
    byte[] content = bytes(20, 6);
    server.add("a", content, MODIFIED);
    Path real = Files.write(dir.resolve("real"), new byte[] {1});
    Path link = Files.createSymbolicLink(dir.resolve("link"), real);

    assertThat(shell.run("get", "a", "-o", link.toString()).exit()).isZero();

    assertThat(Files.isSymbolicLink(link)).isTrue();
    assertThat(real).hasBinaryContent(content);
  }

  @Test
  void shouldSayWhatIsNotFound() {
    Shell.Ran ran = shell.run("get", "no/such", "-o", dir.resolve("x").toString());

    assertThat(ran.exit()).isEqualTo(ExitCode.NOT_FOUND.number());
    assertThat(ran.err())
        .contains("not-found: \"no/such\"")
        .contains("`theseus ls` shows what is there.")
        .doesNotContain("Exception");
    assertThat(dir.resolve("x")).doesNotExist();
  }

  @Test
  void shouldShowTheStackOnlyWhenAsked() {
    assertThat(shell.run("get", "x", "-o", dir.resolve("x").toString(), "--verbose").err())
        .contains("io.theseus.client.TransferException");
    shell.environment.put("THESEUS_DEBUG", "1");
    assertThat(shell.run("get", "x", "-o", dir.resolve("x").toString()).err())
        .contains("io.theseus.client.TransferException");
  }

  @Test
  void shouldReconnectAndSaySo() {
    byte[] content = bytes(400_000, 7);
    server.add("a", content, MODIFIED);
    server.cutAfter = 150_000;
    server.cuts.set(2);
    Path target = dir.resolve("a");

    Shell.Ran ran = shell.run("get", "a", "-o", target.toString());

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(ran.err())
        .contains("Connection lost: ")
        .contains("again; going on at ")
        .contains(", 2 reconnects");
    assertThat(target).hasBinaryContent(content);
  }

  @Test
  void shouldLeaveAPartThatContinueGoesOnWith() throws IOException {
    byte[] content = bytes(2_000_000, 8);
    server.add("a", content, MODIFIED);
    server.cutAfter = 900_000;
    server.cuts.set(1);
    Path target = dir.resolve("a");

    Shell.Ran first = shell.run("get", "a", "-o", target.toString(), "--attempts", "0");

    assertThat(first.exit()).isEqualTo(ExitCode.UNREACHABLE.number());
    assertThat(first.err())
        .contains("Go on with: theseus get a -o " + target)
        .contains(" --continue");
    assertThat(target).doesNotExist();

    Shell.Ran second = shell.run("get", "a", "-o", target.toString(), "--continue");

    assertThat(second.exit()).as(second.err()).isZero();
    assertThat(second.err()).contains("Going on at ");
    assertThat(target).hasBinaryContent(content);
    String last = server.texts.get(server.texts.size() - 1);
    assertThat(last).containsPattern("Offset: [1-9]");
    try (var left = Files.list(dir)) {
      assertThat(left.map(path -> path.getFileName().toString()).filter(n -> n.startsWith(".")))
          .isEmpty();
    }
  }

  @Test
  void shouldRefuseContentWithAnotherHash() {
    server.add("a", bytes(1000, 9), MODIFIED);
    server.wrongHash = "0".repeat(64);
    Path target = dir.resolve("a");

    Shell.Ran ran = shell.run("get", "a", "-o", target.toString());

    assertThat(ran.exit()).isEqualTo(ExitCode.HASH_MISMATCH.number());
    assertThat(ran.err()).contains("0".repeat(64)).contains("What came was not kept.");
    assertThat(target).doesNotExist();
  }

  @Test
  void shouldSayWhatTheNodeDoes() {
    server.add("a", bytes(1000, 10), MODIFIED);
    server.holding = true;

    Shell.Ran ran = shell.run("get", "a", "-o", dir.resolve("a").toString());

    assertThat(ran.err()).contains("a: The node goes on with module files@2.");
  }

  @Test
  void shouldTraceEveryPacketOnStandardError() {
    server.add("a", bytes(1000, 11), MODIFIED);

    Shell.Ran ran = shell.run("get", "a", "-o", dir.resolve("a").toString(), "--trace", "-q");

    assertThat(ran.out()).isEmpty();
    assertThat(ran.err().lines())
        .anyMatch(line -> line.startsWith("> ") && line.contains("GET a"))
        .anyMatch(line -> line.startsWith("< ") && line.contains("DATA"))
        .anyMatch(line -> line.startsWith("> ") && line.contains("OFFSET"));
  }

  @Test
  void shouldUseStopAndWaitWithoutAWindow() {
    byte[] content = bytes(100_000, 12);
    server.add("a", content, MODIFIED);
    Path target = dir.resolve("a");

    assertThat(shell.run("get", "a", "-o", target.toString(), "--window", "0").exit()).isZero();

    assertThat(server.texts.get(1)).startsWith("GET a").doesNotContain("Window");
    assertThat(target).hasBinaryContent(content);
  }

  @Test
  void shouldSayHowToReachANode() throws IOException {
    // bound and not listening: nobody else can get this port meanwhile
    try (Socket bound = new Socket()) {
      bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      String nobody = "127.0.0.1:" + bound.getLocalPort();

      Shell.Ran ran =
          new Shell(nobody, dir.resolve("state")).run("get", "a", "-o", "-", "--retry-for", "0s");

      assertThat(ran.exit()).isEqualTo(ExitCode.UNREACHABLE.number());
      assertThat(ran.err())
          .contains(nobody)
          .contains("`theseus node` starts one; --server host:port");
    }
  }

  // ---- folders

  @Test
  void shouldGetAFolder() throws IOException {
    for (int i = 0; i < 8; i++) {
      server.add("photos/2026/" + i + "/a b.jpg", bytes(i * 10_000, i), MODIFIED);
    }
    server.add("photos/2026x", bytes(5, 1), MODIFIED);
    server.extraLines.add("unknown - - photos/2026/live");
    Path target = dir.resolve("album");

    Shell.Ran ran = shell.run("get", "-r", "photos/2026", "-o", target.toString());

    assertThat(ran.exit()).as(ran.err()).isZero();
    for (int i = 0; i < 8; i++) {
      Path file = target.resolve(i + "/a b.jpg");
      assertThat(file).hasBinaryContent(bytes(i * 10_000, i));
      assertThat(Files.getLastModifiedTime(file).toInstant()).isEqualTo(Instant.parse(MODIFIED));
    }
    assertThat(ran.err())
        .contains("8 files, 273.4 KiB in ")
        .contains("1 left out")
        .contains("photos/2026/live  a live source, which has no end");
    assertThat(dir.resolve("album/2026x")).doesNotExist();
  }

  @Test
  void shouldSkipWhatIsWholeAndGoOnWithPartsInAFolder() throws IOException {
    server.add("f/a", bytes(2_000_000, 1), MODIFIED);
    server.add("f/b", bytes(2_000_000, 2), MODIFIED);
    server.add("f/c", bytes(2_000_000, 3), MODIFIED);
    Path target = dir.resolve("f");
    // the second connection, that for b's first attempt, is cut
    Shell.Ran whole = shell.run("get", "f/a", "-o", Files.createDirectories(target).toString());
    assertThat(whole.exit()).isZero();
    server.cuts.set(1);
    server.cutAfter = 900_000;

    Shell.Ran first = shell.run("get", "-r", "f", "-o", target.toString(), "--attempts", "0");

    assertThat(first.exit()).isEqualTo(ExitCode.UNREACHABLE.number());
    assertThat(first.err())
        .contains("1 the same already")
        .contains("Failed:\n  f/b  ")
        .contains("Not tried any more: 1 file.")
        .contains("Go on with: theseus get -r f -o " + target);

    Shell.Ran second = shell.run("get", "-r", "f", "-o", target.toString(), "--continue");

    assertThat(second.exit()).as(second.err()).isZero();
    assertThat(second.err()).contains("2 files, ").contains("1 the same already");
    assertThat(server.texts.stream().filter(text -> text.startsWith("GET f/b")).toList())
        .last()
        .asString()
        .containsPattern("Offset: [1-9]");
    assertThat(target.resolve("b")).hasBinaryContent(bytes(2_000_000, 2));
    assertThat(target.resolve("c")).hasBinaryContent(bytes(2_000_000, 3));
  }

  @Test
  void shouldGoOnAfterOneFileFailed() throws IOException {
    server.add("f/a", bytes(10, 1), MODIFIED);
    server.add("f/b", bytes(10, 2), MODIFIED);
    server.add("f/c", bytes(10, 3), MODIFIED);
    server.refusals.put("GET f/b", "denied: f/b (expected: a token)");
    Path target = dir.resolve("f");

    Shell.Ran ran = shell.run("get", "-r", "f/", "-o", target.toString(), "--json");

    assertThat(ran.exit()).isEqualTo(ExitCode.SOME_FAILED.number());
    assertThat(target.resolve("c")).hasBinaryContent(bytes(10, 3));
    assertThat(ran.lines()).hasSize(4);
    assertThat(ran.lines().get(1))
        .contains("\"name\":\"f/b\"", "\"outcome\":\"failed\"", "\"code\":\"denied\"");
    assertThat(ran.lines().get(3))
        .contains("\"outcome\":\"failed\"", "\"exitCode\":10", "\"complete\":2", "\"failed\":1");
  }

  @Test
  void shouldKeepDifferentFilesInAFolderUnlessForced() throws IOException {
    server.add("f/a", bytes(10, 1), MODIFIED);
    Path target = Files.createDirectories(dir.resolve("f"));
    Files.writeString(target.resolve("a"), "mine");

    Shell.Ran kept = shell.run("get", "-r", "f", "-o", target.toString());

    assertThat(kept.exit()).isEqualTo(ExitCode.SOME_FAILED.number());
    assertThat(target.resolve("a")).hasContent("mine");

    assertThat(shell.run("get", "-r", "f", "-o", target.toString(), "-f").exit()).isZero();
    assertThat(target.resolve("a")).hasBinaryContent(bytes(10, 1));
  }

  @Test
  void shouldTakeNothingFromANodeThatNamesWhatWouldLeaveTheTarget() throws IOException {
    for (String name : new String[] {"f/../outside/b", "f//etc/c", "/etc/d", "f/./e", "other/g"}) {
      Path target = dir.resolve("t");
      server.extraLines.clear();
      server.extraLines.add("10 " + MODIFIED + " x " + name);

      Shell.Ran ran = shell.run("get", "-r", "f", "-o", target.toString());

      assertThat(ran.exit()).as(name + ": " + ran.err()).isEqualTo(ExitCode.PROTOCOL.number());
      assertThat(ran.err()).as(name).contains(name);
      assertThat(target).as(name).doesNotExist();
      assertThat(server.commands).noneMatch(command -> command.startsWith("GET"));
    }
  }

  @Test
  void shouldNameALinkInTheWay() throws IOException {
    Path outside = Files.createDirectories(dir.resolve("outside"));
    Path target = Files.createDirectories(dir.resolve("t"));
    Files.createSymbolicLink(target.resolve("link"), outside);
    Files.createSymbolicLink(target.resolve("file"), outside.resolve("victim"));
    server.add("f/link/a", bytes(10, 1), MODIFIED);
    server.add("f/file", bytes(10, 1), MODIFIED);
    server.add("f/good", bytes(10, 1), MODIFIED);

    Shell.Ran ran = shell.run("get", "-r", "f", "-o", target.toString(), "--force");

    assertThat(ran.exit()).isEqualTo(ExitCode.SOME_FAILED.number());
    assertThat(ran.err()).contains("f/file  " + target.resolve("file") + ": a symbolic link");
    assertThat(Files.isSymbolicLink(target.resolve("file"))).isTrue();
    assertThat(outside).isEmptyDirectory();
    assertThat(ran.err())
        .contains(
            "f/link/a  " + target.resolve("link") + ": a symbolic link (expected: none below");
    assertThat(target.resolve("good")).exists();
  }

  @Test
  void shouldSayThatAFolderIsEmpty() {
    Shell.Ran ran = shell.run("get", "-r", "none", "-o", dir.resolve("x").toString());

    assertThat(ran.exit()).isEqualTo(ExitCode.NOT_FOUND.number());
    assertThat(ran.err()).contains("no name on the node begins with \"none/\"");
    assertThat(dir.resolve("x")).doesNotExist();
  }

  @Test
  void shouldCountAnUnreachableNodeAsIncomplete() {
    server.add("f/a", bytes(10, 1), MODIFIED);
    server.unreachable = "10.0.0.9:7411";

    Shell.Ran ran = shell.run("get", "-r", "f", "-o", dir.resolve("f").toString());

    assertThat(ran.exit()).isEqualTo(ExitCode.SOME_FAILED.number());
    assertThat(ran.err()).contains("10.0.0.9:7411  can't be reached: its names may be missing");
    assertThat(dir.resolve("f/a")).exists();
  }
}
