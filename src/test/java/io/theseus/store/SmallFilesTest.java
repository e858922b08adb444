package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.os.Native;
import io.theseus.wire.FileName;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.ZoneOffset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of small files, and when it is not asked again. */
class SmallFilesTest {
  private static final FileName NAME = new FileName("a/f");

  private Path directory;
  private Path file;
  private SmallFiles small;
  private StoredFile read;

  @BeforeEach
  void keepOne(@TempDir Path temporary) throws Exception {
    directory = temporary.toRealPath();
    file = Files.createDirectory(directory.resolve("a")).resolve("f");
    Files.writeString(file, "content");
    small = new SmallFiles(10_000, after(SmallFiles.SETTLED.toNanos(), stamp(file)));
    read = add(NAME, file);
  }

  @Test
  void shouldGiveBackWhatWasRead() {
    assertThat(small.find(NAME, /* mayWait= */ true)).isSameAs(read);
    assertThat(small.find(NAME, /* mayWait= */ false)).as("looked at just now").isSameAs(read);
    assertThat(small.find(new FileName("a/g"), true)).isNull();
  }

  @Test
  void shouldSeeThatItChangedAlthoughItIsAsOldAndAsLong() throws Exception {
    FileTime modified = Files.getLastModifiedTime(file);
    Files.writeString(file, "another");
    Files.setLastModifiedTime(file, modified);
    assertThat(small.find(NAME, true)).isNull();
  }

  @Test
  void shouldSeeThatItIsGone() throws Exception {
    Files.delete(file);
    assertThat(small.find(NAME, true)).isNull();
  }

  @Test
  void shouldNotFollowALinkToIt() throws Exception {
    Files.move(directory.resolve("a"), directory.resolve("b"));
    Files.createSymbolicLink(directory.resolve("a"), directory.resolve("b"));
    assertThat(stamp(file))
        .as("by a link it is the same")
        .isEqualTo(stamp(directory.resolve("b/f")));
    assertThat(small.find(NAME, true)).isNull();
  }

  @Test
  void shouldNotKeepAFileThatMayBeWrittenAgainWithinOneTickOfItsTime() throws Exception {
    small = new SmallFiles(10_000, after(SmallFiles.SETTLED.toNanos() - 1, stamp(file)));
    add(NAME, file);
    assertThat(small.find(NAME, true)).isNull();
  }

  @Test
  void shouldLetGoOfWhatNobodyAskedForTheLongestTime() throws Exception {
    small = new SmallFiles(2_000, after(SmallFiles.SETTLED.toNanos(), stamp(file)));
    FileName second = new FileName("b");
    FileName third = new FileName("c");
    add(NAME, file);
    add(second, file);
    assertThat(small.find(NAME, true)).isNotNull();
    add(third, file);
    assertThat(small.find(second, true)).as("two of these fit").isNull();
    assertThat(small.find(NAME, true)).isNotNull();
    assertThat(small.find(third, true)).isNotNull();
  }

  private StoredFile add(FileName name, Path path) throws Exception {
    BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class);
    StoredFile stored =
        new StoredFile(name, Facts.of(found, path), ByteBuffer.wrap(Files.readAllBytes(path)));
    small.add(stored, path.toString(), stamp(path));
    return stored;
  }

  private static Native.Stamp stamp(Path path) throws Exception {
    try (FileChannel open = FileChannel.open(path)) {
      return Native.stamp(open).orElseThrow();
    }
  }

  /** So many nanoseconds after a file changed. */
  private static Clock after(long nanos, Native.Stamp stamp) {
    return Clock.fixed(stamp.changed().plusNanos(nanos), ZoneOffset.UTC);
  }
}
