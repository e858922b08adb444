package io.theseus.store;

import static io.theseus.store.StoreFixture.name;
import static io.theseus.store.StoreFixture.refusal;
import static io.theseus.store.StoreFixture.run;
import static io.theseus.store.StoreFixture.sha256;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.theseus.os.Native;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reading: names on disk, confinement, identity, shared descriptors. */
@Timeout(60)
class FileStoreTest {
  /** More than what is kept in memory. */
  private static final String LARGE = "0123456789".repeat(2_000);

  private Path directory;
  private StoreFixture fixture;

  @BeforeEach
  void open(@TempDir Path temporary) throws IOException {
    directory = temporary;
    fixture = new StoreFixture(directory);
  }

  @AfterEach
  void close() throws IOException {
    fixture.close();
  }

  private Path place(String name, String content) throws IOException {
    Path file = fixture.root.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, content);
  }

  @Test
  void shouldReadAFileThatWasPutThereByHand() throws Exception {
    Path file = place("a/b c/ü.txt", "hello");
    Files.setLastModifiedTime(file, FileTime.from(Instant.parse("2026-01-02T03:04:05.000000678Z")));

    try (StoredFile open = fixture.store.openFile(name("a/b c/ü.txt"))) {
      assertThat(open.size()).isEqualTo(5);
      assertThat(open.identity()).isEqualTo("s5-t1767323045.000000678");
      assertThat(open.sha256()).isEmpty();
      assertThat(open.modified()).isEqualTo("2026-01-02T03:04:05.000000678Z");
    }
    assertThat(fixture.read("a/b c/ü.txt")).isEqualTo("hello");
    assertThat(fixture.store.stat(name("a/b c/ü.txt")).line())
        .isEqualTo("5 2026-01-02T03:04:05.000000678Z s5-t1767323045.000000678 a/b c/ü.txt");
  }

  @Test
  void shouldChangeTheIdentityOfAFileThatIsEditedByHand() throws Exception {
    Completed put = fixture.put("f", "put");
    assertThat(fixture.store.stat(name("f")).identity()).isEqualTo(put.identity());
    assertThat(fixture.store.stat(name("f")).sha256()).contains(sha256("put"));

    Files.writeString(fixture.root.resolve("f"), "edited");

    assertThat(fixture.store.stat(name("f")).identity()).startsWith("s6-t");
    assertThat(fixture.store.stat(name("f")).sha256()).isEmpty();
    try (StoredFile open = fixture.store.openFile(name("f"))) {
      assertThat(open.identity()).startsWith("s6-t");
      assertThat(open.sha256()).isEmpty();
    }
  }

  @Test
  void shouldSayWhatIsThereInsteadOfAFile() throws Exception {
    Path outside = Files.writeString(directory.resolve("outside"), "secret");
    Files.createSymbolicLink(fixture.root.resolve("link"), outside);
    Files.createSymbolicLink(fixture.root.resolve("out"), directory);
    Files.createDirectory(fixture.root.resolve("folder"));
    place("file", "x");

    assertThat(refusal(() -> fixture.store.openFile(name("gone"))))
        .isEqualTo("not-found: \"gone\": nothing is there (expected: a regular file)");
    assertThat(refusal(() -> fixture.store.openFile(name("gone/too"))))
        .isEqualTo("not-found: \"gone/too\": nothing is there (expected: a regular file)");
    assertThat(refusal(() -> fixture.store.openFile(name("folder"))))
        .isEqualTo("not-found: \"folder\": is a folder (expected: a regular file)");
    assertThat(refusal(() -> fixture.store.openFile(name("link"))))
        .isEqualTo("not-found: \"link\": is a symbolic link (expected: a regular file)");
    assertThat(refusal(() -> fixture.store.openFile(name("out/outside"))))
        .isEqualTo(
            "not-found: \"out/outside\": goes through what is no folder (expected: a regular file)");
    assertThat(refusal(() -> fixture.store.stat(name("file/x"))))
        .isEqualTo(
            "not-found: \"file/x\": goes through what is no folder (expected: a regular file)");
    assertThat(refusal(() -> fixture.store.delete(name("link"), Optional.empty())))
        .isEqualTo("not-found: \"link\": is a symbolic link (expected: a regular file)");
    assertThat(fixture.names()).containsExactly("file");
    assertThat(outside).hasContent("secret");
  }

  @Test
  void shouldNeitherWaitForAFifoNorTouchADevice() throws Exception {
    run("mkfifo", fixture.root.resolve("fifo").toString());
    run("mkfifo", fixture.root.resolve("dir").toString());

    String expected = "is a special file (FIFO, socket or device) (expected: a regular file)";
    assertThat(refusal(() -> fixture.store.openFile(name("fifo"))))
        .isEqualTo("not-found: \"fifo\": " + expected);
    assertThat(refusal(() -> fixture.store.openFile(name("dir/x"))))
        .contains("goes through what is no folder");
    assertThat(refusal(() -> fixture.store.begin(StoreFixture.request("fifo"))))
        .isEqualTo(
            "exists: \"fifo\": is a special file (FIFO, socket or device) (expected: a regular file"
                + " or nothing)");
    assertThat(fixture.names()).isEmpty();
  }

  @Test
  void shouldRefuseADevice() throws Exception {
    Path device = fixture.root.resolve("device");
    int code =
        new ProcessBuilder("mknod", device.toString(), "c", "1", "5")
            .redirectErrorStream(true)
            .start()
            .waitFor();
    assumeThat(code).as("mknod needs root, which this test does not have").isZero();

    assertThat(refusal(() -> fixture.store.openFile(name("device"))))
        .isEqualTo(
            "not-found: \"device\": is a special file (FIFO, socket or device) (expected: a regular"
                + " file)");
  }

  @Test
  void shouldNotShowWhereItStages() throws Exception {
    Files.writeString(fixture.staging().resolve("x"), "half");

    assertThat(fixture.names()).isEmpty();
    assertThat(refusal(() -> fixture.store.openFile(name(".theseus-staging/x"))))
        .startsWith("not-found: \".theseus-staging/x\": is where the store keeps");
    assertThat(refusal(() -> fixture.store.begin(StoreFixture.request(".theseus-staging/x"))))
        .startsWith("denied: \".theseus-staging/x\" is where the store keeps");
    assertThat(refusal(() -> fixture.store.delete(name(".theseus-staging/x"), Optional.empty())))
        .startsWith("denied:");
    assertThat(fixture.store.list(".theseus", Optional.empty(), 1000).entries()).isEmpty();
    assertThat(fixture.store.list(".theseus-staging/", Optional.empty(), 1000).entries()).isEmpty();
  }

  @Test
  void shouldLeaveOutNamesThatAreNone() throws Exception {
    place("good", "x");
    place("back\\slash", "x");
    place("line\nfeed", "x");
    // bytes that are no UTF-8, which Java can't spell
    run("bash", "-c", "printf x > \"$0\"/$'bad\\xff'", fixture.root.toString());

    assertThat(fixture.names()).containsExactly("good");
  }

  @Test
  void shouldShareOneDescriptorAmongReadersOfOneContent() throws Exception {
    place("f", LARGE);
    StoredFile a = fixture.store.openFile(name("f"));
    StoredFile b = fixture.store.openFile(name("f"));
    FileChannel channel = a.channel().orElseThrow();
    assertThat(b.channel()).containsSame(channel);
    assertThat(fixture.store.openFiles()).isEqualTo(1);

    a.close();
    a.close();
    assertThat(channel.isOpen()).isTrue();
    b.close();
    assertThat(channel.isOpen()).isFalse();
    assertThat(fixture.store.openFiles()).isZero();
  }

  @Test
  void shouldHoldNoDescriptorForASmallFile() throws Exception {
    place("f", "x".repeat(SmallFiles.MOST));
    place("g", "x".repeat(SmallFiles.MOST + 1));
    try (StoredFile small = fixture.store.openFile(name("f"));
        StoredFile large = fixture.store.openFile(name("g"))) {
      assertThat(small.channel()).isEmpty();
      assertThat(large.channel()).isPresent();
      assertThat(fixture.store.openFiles()).isEqualTo(1);
    }
  }

  /** A file as old as another, as long, with its name and its inode, is another all the same. */
  @Test
  void shouldSeeEveryChangeOfASmallFileThatItKnows() throws Exception {
    // the kernel's time is the real one: all that is written now is old enough to be kept
    Instant later = Instant.now().plus(Duration.ofHours(1));
    fixture.clock.advance(Duration.between(fixture.clock.instant(), later));
    Path file = fixture.root.resolve("f");
    FileTime time = FileTime.fromMillis(1_700_000_000_000L);
    for (int i = 0; i < 200; i++) {
      String content = "%04d".formatted(i);
      switch (i % 3) {
        case 0 -> Files.writeString(file, content);
        case 1 -> {
          Path other = directory.resolve("other");
          Files.writeString(other, content);
          Files.move(other, file, StandardCopyOption.ATOMIC_MOVE);
        }
        default -> {
          Files.delete(file);
          Files.writeString(file, content);
        }
      }
      Files.setLastModifiedTime(file, time);
      assertThat(fixture.store.openKnown(name("f"))).isEmpty();
      assertThat(fixture.read("f")).isEqualTo(content);
      assertThat(fixture.store.openKnown(name("f"))).isPresent();
      assertThat(fixture.read("f")).isEqualTo(content);
    }
  }

  @Test
  void shouldNotShareADescriptorAcrossAChange() throws Exception {
    Path file = place("f", "one");
    try (StoredFile before = fixture.store.openFile(name("f"))) {
      Files.writeString(file, "longer");
      try (StoredFile after = fixture.store.openFile(name("f"))) {
        assertThat(after.size()).isEqualTo(6);
        assertThat(after.identity()).isNotEqualTo(before.identity());
      }
    }
  }

  @Test
  void shouldKeepTheContentOfARunningGet() throws Exception {
    fixture.put("f", "old");
    fixture.put("g", LARGE);
    try (StoredFile small = fixture.store.openFile(name("f"));
        StoredFile large = fixture.store.openFile(name("g"))) {
      for (String each : List.of("f", "g")) {
        fixture.put(each, "newer");
        fixture.store.delete(name(each), Optional.empty());
      }
      assertThat(StoreFixture.read(small)).isEqualTo("old");
      assertThat(StoreFixture.read(large)).isEqualTo(LARGE);
      large.willNeed(0, 3);
      small.willNeed(0, 3);
      assertThat(small.mayWait(0, 3)).as("in memory").isFalse();
      assertThat(large.mayWait(large.size(), 1 << 20)).as("nothing is there").isTrue();
      if (Native.isCached(large.channel().orElseThrow(), 0, 1)) { // Linux 6.5
        assertThat(large.mayWait(0, large.size())).as("written just now").isFalse();
        assertThat(large.mayWait(1, large.size() + 65_536)).as("not all is there").isTrue();
      }
    }
  }

  @Test
  void shouldKnowTheDescriptorForReadAhead() throws Exception {
    place("f", LARGE);
    try (StoredFile open = fixture.store.openFile(name("f"))) {
      assertThat(Native.available()).isTrue();
      int fd = Native.descriptor(open.channel().orElseThrow());
      assertThat(Path.of("/proc/self/fd/" + fd).toRealPath())
          .isEqualTo(fixture.root.resolve("f").toRealPath());
    }
  }

  /** Faults row 19: a component that turns into a link between two looks leads nowhere. */
  @Test
  void shouldNotFollowALinkThatIsSwappedInDuringOpen() throws Exception {
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Files.writeString(outside.resolve("f"), "secret");
    place("a/f", "inside");
    Path folder = fixture.root.resolve("a");
    Path link = directory.resolve("a-link");
    Path real = directory.resolve("a-real");
    AtomicBoolean over = new AtomicBoolean();
    CompletableFuture<Void> swapper =
        CompletableFuture.runAsync(
            () -> {
              try {
                while (!over.get()) {
                  Files.createSymbolicLink(link, outside);
                  Files.move(folder, real, StandardCopyOption.ATOMIC_MOVE);
                  Files.move(link, folder, StandardCopyOption.ATOMIC_MOVE);
                  Files.delete(folder);
                  Files.move(real, folder, StandardCopyOption.ATOMIC_MOVE);
                }
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            },
            fixture.disk);
    int seen = 0;
    int refused = 0;
    try {
      for (int i = 0; i < 100_000 && (i < 10_000 || seen == 0 || refused == 0); i++) {
        try {
          assertThat(fixture.read("a/f")).isEqualTo("inside");
          seen++;
        } catch (ProtocolException e) {
          assertThat(e.errorText()).startsWith("not-found: ");
          refused++;
        }
      }
    } finally {
      over.set(true);
      swapper.join();
    }
    assertThat(seen).as("opened").isPositive();
    assertThat(refused).as("met the swap").isPositive();
  }

  /** A file under replacement shows one content with its own identity, never a mixture. */
  @Test
  void shouldOpenOneContentWhileTheNameIsSwitched() throws Exception {
    fixture.put("f", "0");
    AtomicBoolean over = new AtomicBoolean();
    CompletableFuture<Void> putter =
        CompletableFuture.runAsync(
            () -> {
              try {
                for (int i = 1; !over.get(); i++) {
                  fixture.put("f", Integer.toString(i));
                }
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    Set<String> identities = new HashSet<>();
    // until the name was switched often enough, however slow the disk is
    for (int i = 0; i < 2_000 || (identities.size() < 10 && !putter.isDone()); i++) {
      try (StoredFile open = fixture.store.openFile(name("f"))) {
        String content = StoreFixture.read(open);
        assertThat(open.sha256()).contains(sha256(content));
        identities.add(open.identity());
      }
    }
    over.set(true);
    putter.join();
    assertThat(identities).hasSizeGreaterThanOrEqualTo(10);
  }

  @Test
  void shouldRefuseASecondStoreOnTheSameDirectory() {
    assertThatThrownBy(
            () ->
                FileStore.open(
                    StoreSettings.of(fixture.root, directory.resolve("r2"), 0, Duration.ofDays(1)),
                    fixture.disk,
                    fixture.clock,
                    name -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another process uploads here (expected: one node for each");
  }

  @Test
  void shouldRefuseNamesThatTheLocaleCannotSpell() throws Exception {
    assertThat(Tree.fileNamesAreUnicode("UTF-8")).isTrue();
    assertThat(Tree.fileNamesAreUnicode("utf8")).isTrue();
    assertThat(Tree.fileNamesAreUnicode("")).isFalse();
    try (Tree tree = new Tree(fixture.root, "", "ANSI_X3.4-1968")) {
      tree.requireEncodable(name("plain"));
      assertThat(refusal(() -> tree.requireEncodable(name("ü"))))
          .startsWith("internal: \"ü\": file names are in ANSI_X3.4-1968 here, by the locale ")
          .endsWith(" (expected: UTF-8, start the node with LC_ALL=C.UTF-8)");
    }
  }
}
