package io.theseus.store;

import static io.theseus.store.StoreFixture.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.theseus.os.Native;
import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What files hold, and what becomes of those that hold something else than was stored. */
final class ContentsTest {
  private static final FileName NAME = new FileName("d/f");
  private static final Contents.Pacing FAST = bytes -> {};
  private static final int MIB = Source.BLOCK_BYTES;

  private StoreFixture fixture;
  private VersionClock clock;

  @BeforeEach
  void open(@TempDir Path made) throws IOException {
    fixture = new StoreFixture(made);
    clock = new VersionClock("node1", fixture.clock);
  }

  @AfterEach
  void close() throws Exception {
    fixture.close();
  }

  private Contents contents() {
    return fixture.store.contents();
  }

  private Path file() {
    return fixture.root.resolve("d/f");
  }

  private Completed put(UploadRequest request, String content, String version) throws Exception {
    Upload upload = fixture.store.begin(request);
    upload.takeOver().write(StoreFixture.direct(content), () -> {});
    StoreFixture.await(upload.seal(content.length(), Optional.empty(), version));
    return StoreFixture.await(upload.publish());
  }

  private Completed put(String content) throws Exception {
    return put(request("d/f"), content, clock.next());
  }

  private void putByHand(String content) throws IOException {
    Files.createDirectories(file().getParent());
    Files.writeString(file(), content);
  }

  /** The disk changes a byte; it says nothing, and nothing else of the file changes. */
  private void rot(long at) throws IOException {
    Instant modified = Files.getLastModifiedTime(file()).toInstant();
    try (FileChannel channel =
        FileChannel.open(file(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, at);
      channel.write(one.put(0, (byte) (one.get(0) ^ 0x10)).flip(), at);
      assertThat(Native.setModified(channel, modified)).isTrue();
    }
  }

  private Checked check() throws Exception {
    return contents().check(NAME, FAST);
  }

  private Checked condemned() throws Exception {
    Checked checked = check();
    assertThat(checked.isRotten()).isTrue();
    contents().condemn(NAME, checked);
    assertThat(contents().isRotten(NAME)).isTrue();
    return checked;
  }

  private void assertServed(String content) throws Exception {
    assertThat(contents().isRotten(NAME)).isFalse();
    assertThat(contents().rotten()).isEmpty();
    assertThat(fixture.read("d/f")).isEqualTo(content);
  }

  // ---- looking

  @Test
  void shouldSayWhatWasStored() throws Exception {
    Completed completed = put("content");
    Checked checked = check();
    assertThat(checked.isRotten()).isFalse();
    assertThat(checked.size()).isEqualTo(7);
    assertThat(checked.sha256()).isEqualTo(StoreFixture.sha256("content"));
    Committed committed = checked.committed().orElseThrow();
    assertThat(committed.session()).isEqualTo(completed.session());
    assertThat(committed.version()).isEqualTo(checked.version());
    assertThat(committed.since()).isEqualTo(fixture.clock.instant());
    assertThat(contents().committed(NAME)).contains(committed);
  }

  /** Whoever looks through all files pushes nobody's out of memory. */
  @Test
  void shouldLeaveThePageCacheAsItWas() throws Exception {
    put("content".repeat(200_000));
    try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.READ)) {
      assumeTrue(Native.isCached(channel, 0, channel.size()), "the kernel says what it has");
      check();
      assertThat(Native.isCached(channel, 0, channel.size())).as("others use it").isTrue();
      Native.dontNeed(channel, 0, 0);
      assumeTrue(Native.isUncached(channel, 0, channel.size()), "a file system on a disk");
      check();
      assertThat(Native.isUncached(channel, 0, channel.size())).as("nobody used it").isTrue();
      contents().checkBeforeCopy(NAME, FAST);
      assertThat(Native.isCached(channel, 0, channel.size())).as("it is to be copied").isTrue();
    }
  }

  @Test
  void shouldRefuseWhatChangesWhileItIsRead() throws Exception {
    put("content");
    assertThatThrownBy(() -> contents().check(NAME, bytes -> rewrite("changed")))
        .isInstanceOfSatisfying(
            ProtocolException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BUSY));
    assertThatThrownBy(() -> contents().check(new FileName("none"), FAST))
        .isInstanceOfSatisfying(
            ProtocolException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_FOUND));
  }

  private void rewrite(String content) {
    try {
      Files.delete(file());
      Files.writeString(file(), content);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shouldTakeForRottenWhatCannotBeRead() throws Exception {
    put("x".repeat(MIB) + "behind");
    Checked checked =
        contents()
            .check(
                NAME,
                FAST,
                (channel, into, at) -> {
                  if (at >= MIB) {
                    throw new IOException("Input/output error");
                  }
                  return channel.read(into, at);
                },
                /* keep= */ false);
    assertThat(checked.isRotten()).isTrue();
    assertThat(checked.unreadable()).contains("Input/output error");
    assertThat(checked.sums()).hasSize(1);
    contents().condemn(NAME, checked);
    assertThat(contents().rotten()).containsExactly(NAME);
    // it was the cable
    assertThat(check().isRotten()).isFalse();
    assertServed("x".repeat(MIB) + "behind");
  }

  @Test
  void shouldReportWhatCannotBeReadAndIsNobodys() throws Exception {
    putByHand("by hand");
    assertThatThrownBy(
            () ->
                contents()
                    .check(
                        NAME,
                        FAST,
                        (channel, into, at) -> {
                          throw new IOException("Input/output error");
                        },
                        /* keep= */ false))
        .isInstanceOfSatisfying(
            ProtocolException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INTERNAL))
        .hasMessageContaining("Input/output error");
  }

  // ---- adopted

  @Test
  void shouldAdoptWhatAPersonPutAndKeepItsIdentity() throws Exception {
    putByHand("by hand");
    Entry before = fixture.store.entry(NAME);
    assertThat(check().committed()).isEmpty();

    Committed adopted = contents().adopt(NAME, check()).orElseThrow();

    assertThat(adopted.version()).isEqualTo(before.version());
    assertThat(adopted.sha256()).isEqualTo(StoreFixture.sha256("by hand"));
    assertThat(fixture.store.entry(NAME).version()).isEqualTo(before.version());
    assertThat(fixture.store.entry(NAME).stat().orElseThrow().identity())
        .isEqualTo(before.stat().orElseThrow().identity())
        .startsWith("s7-t");
    assertThat(check().committed()).contains(adopted);
  }

  @Test
  void shouldAdoptAnewWhatAPersonChangesAgain() throws Exception {
    putByHand("by hand");
    Committed first = contents().adopt(NAME, check()).orElseThrow();
    Files.writeString(file(), "changed once more");
    assertThat(contents().committed(NAME)).isEmpty();
    Committed second = contents().adopt(NAME, check()).orElseThrow();
    assertThat(second.session()).isNotEqualTo(first.session());
    assertThat(second.version()).isGreaterThan(first.version());
    assertThat(second.sha256()).isEqualTo(StoreFixture.sha256("changed once more"));
  }

  @Test
  void shouldNotAdoptWhatWasReplacedMeanwhile() throws Exception {
    putByHand("by hand");
    Checked checked = check();
    clock.see(checked.version());
    Completed completed = put("by a client");
    assertThat(contents().adopt(NAME, checked)).isEmpty();
    assertThat(contents().committed(NAME).orElseThrow().session()).isEqualTo(completed.session());
    assertThat(check().isRotten()).isFalse();
  }

  // ---- rotten

  @Test
  void shouldNotServeWhatIsRotten() throws Exception {
    Completed completed = put("content");
    rot(3);
    assertThat(fixture.store.has(NAME)).isTrue();
    condemned();
    assertThat(contents().rotten()).containsExactly(NAME);
    assertThat(StoreFixture.refusal(() -> fixture.store.openFile(NAME)))
        .contains("\"d/f\" is rotten");
    assertThat(fixture.store.openKnown(NAME)).isEmpty();
    assertThat(fixture.store.completed(completed.session(), NAME)).isEmpty();
    assertThat(fixture.store.has(NAME)).isFalse();
  }

  @Test
  void shouldServeWhatTakesThePlaceOfARottenOne() throws Exception {
    put("content");
    rot(3);
    condemned();
    put("another");
    assertServed("another");
  }

  @Test
  void shouldServeWhatAPersonPutsInThePlaceOfARottenOneAlsoWithItsInode() throws Exception {
    put("content");
    rot(3);
    condemned();
    Files.writeString(file(), "in the same inode");
    assertServed("in the same inode");
    assertThat(fixture.store.has(NAME)).isTrue();
  }

  @Test
  void shouldForgetWhatIsDeleted() throws Exception {
    put("content");
    rot(3);
    condemned();
    String unused = fixture.store.delete(NAME, Optional.empty());
    assertThat(contents().rotten()).isEmpty();
    assertThat(fixture.store.has(NAME)).isFalse();
  }

  @Test
  void shouldServeWhatIsFoundToBeSoundAfterAll() throws Exception {
    put("content");
    rot(3);
    condemned();
    rot(3); // back again
    assertThat(check().isRotten()).isFalse();
    assertServed("content");
  }

  // ---- rotten, and restarted

  private Path marks() {
    return fixture.records.resolve("rotten");
  }

  @Test
  void shouldKnowAfterARestartWhatIsRotten() throws Exception {
    put("content");
    rot(3);
    condemned();
    fixture.restart();
    assertThat(contents().rotten()).containsExactly(NAME);
    assertThat(fixture.store.openKnown(NAME)).isEmpty();
    assertThat(StoreFixture.refusal(() -> fixture.store.openFile(NAME)))
        .contains("\"d/f\" is rotten");
  }

  @Test
  void shouldServeAfterARestartWhatTookThePlaceOfARottenOne() throws Exception {
    put("content");
    rot(3);
    condemned();
    assertThat(marks()).isDirectoryContaining("glob:**");
    put("another");
    assertThat(marks()).isEmptyDirectory();
    fixture.restart();
    assertServed("another");
  }

  @Test
  void shouldServeAfterARestartWhatAPersonPutInThePlaceOfARottenOne() throws Exception {
    put("content");
    rot(3);
    condemned();
    Files.writeString(file(), "by hand");
    fixture.restart();
    assertServed("by hand");
  }

  @Test
  void shouldServeAfterARestartWhatWasFoundToBeSoundAfterAll() throws Exception {
    put("content");
    rot(3);
    condemned();
    rot(3); // back again
    assertThat(check().isRotten()).isFalse();
    fixture.restart();
    assertServed("content");
  }

  @Test
  void shouldSalvageAfterARestart() throws Exception {
    UUID session = put("a".repeat(MIB) + "b".repeat(MIB) + "rest").session();
    rot(3);
    int[] sums = condemned().sums();
    fixture.restart();
    Salvage salvage = contents().salvage(NAME, session).orElseThrow();
    assertThat(salvage.has(0, sums[0])).isTrue();
    assertThat(salvage.has(1, sums[1])).isTrue();
    assertThat(salvage.has(2, 0)).isFalse();
  }

  @Test
  void shouldStartWithAMarkThatIsDamaged() throws Exception {
    put("content");
    rot(3);
    condemned();
    try (Stream<Path> all = Files.list(marks())) {
      Path mark = all.findFirst().orElseThrow();
      Files.writeString(mark, Files.readString(mark).replace("d/f", "d/g"));
      Files.writeString(marks().resolve("torn.new"), "half");
      Files.writeString(marks().resolve("empty"), "");
      Files.createDirectory(marks().resolve("unreadable"));
    }
    fixture.restart();
    assertThat(contents().rotten()).isEmpty();
  }

  @Test
  void shouldNotSayThatAFileIsCondemnedWhereThatIsNotRemembered() throws Exception {
    put("content");
    rot(3);
    Files.writeString(marks(), "in the way");
    Checked checked = check();
    assertThatThrownBy(() -> contents().condemn(NAME, checked))
        .isInstanceOf(ProtocolException.class);
    assertThat(contents().isRotten(NAME)).isTrue();
  }

  // ---- salvaged

  @Test
  void shouldSalvageBlocksThatAreAsTheyWere() throws Exception {
    String content = "a".repeat(MIB) + "b".repeat(MIB) + "rest";
    UUID session = put(content).session();
    assertThat(contents().salvage(NAME, session)).isEmpty();
    rot(3);
    Checked checked = condemned();
    Salvage salvage = contents().salvage(NAME, session).orElseThrow();
    assertThat(contents().salvage(NAME, UUID.randomUUID())).isEmpty();

    int second = checked.sums()[1];
    assertThat(checked.sums()).hasSize(2);
    assertThat(salvage.has(1, second)).isTrue();
    assertThat(salvage.has(0, second)).isFalse();
    assertThat(salvage.has(2, second)).isFalse();
    assertThat(StandardCharsets.US_ASCII.decode(salvage.read(1)).toString())
        .isEqualTo("b".repeat(MIB));

    rot(MIB + 7); // since then
    assertThatThrownBy(() -> salvage.read(1))
        .isInstanceOf(IOException.class)
        .hasMessage("block 1 changed (expected: what it was)");
  }

  // ---- copied

  @Test
  void shouldGiveAFileAsLongAsItIsThatOne() throws Exception {
    put("content");
    Committed committed = contents().committed(NAME).orElseThrow();
    Original original = contents().original(committed, Optional.of(check()));
    assertThat(original.size()).hasValue(7);
    assertThat(original.durable()).isEqualTo(7);
    try (Source source = original.source()) {
      ByteBuffer bytes = ByteBuffer.allocate(7);
      assertThat(source.channel().read(bytes, 0)).isEqualTo(7);
      assertThat(source.available()).isEqualTo(7);
      assertThat(source.summed()).isZero();
    }
    put("another");
    assertThatThrownBy(original::source)
        .isInstanceOfSatisfying(
            ProtocolException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_FOUND));
  }

  @Test
  void shouldKeepTheTimeToTheNanosecond() throws Exception {
    Instant modified = Instant.parse("2025-03-04T05:06:07.123456789Z");
    put(
        new UploadRequest(
            UUID.randomUUID(),
            NAME,
            OptionalLong.of(7),
            Optional.empty(),
            Optional.empty(),
            Optional.of(modified)),
        "content",
        clock.next());
    assertThat(Files.getLastModifiedTime(file()).toInstant()).isEqualTo(modified);
    assertThat(contents().committed(NAME).orElseThrow().modified()).isEqualTo(modified);
  }

  // ---- let go of

  @Test
  void shouldLetGoOfTheVersionThatItSaysAlone() throws Exception {
    String old = clock.next();
    put(request("d/f"), "old", old);
    put("new");
    assertThat(fixture.store.letGo(NAME, old)).isFalse();
    assertThat(fixture.read("d/f")).isEqualTo("new");
    assertThat(fixture.store.letGo(NAME, fixture.store.entry(NAME).version())).isTrue();
    assertThat(file()).doesNotExist();
    assertThat(fixture.store.entry(NAME)).isEqualTo(Entry.NONE);
  }

  /** Who repeats his PUT hears that it is complete; a copy that is to come back is none yet. */
  @Test
  void shouldKnowThatWhatWasLetGoOfIsNotHere() throws Exception {
    Completed completed = put("content");
    assertThat(fixture.store.has(NAME)).isTrue();
    assertThat(fixture.store.letGo(NAME, fixture.store.entry(NAME).version())).isTrue();
    assertThat(fixture.store.completed(completed.session(), NAME)).contains(completed);
    assertThat(fixture.store.has(NAME)).isFalse();
  }
}
