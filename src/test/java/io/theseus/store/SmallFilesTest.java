package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of small files, and when it is not asked again. */
class SmallFilesTest {
  private static final Instant NOW = Instant.parse("2026-11-21T22:00:00Z");
  private static final Instant SETTLED = NOW.minus(SmallFiles.SETTLED);
  private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);

  @TempDir Path directory;

  @Test
  void shouldGiveBackWhatWasReadOfAFileThatIsTheSame() throws Exception {
    SmallFiles small = new SmallFiles(10_000, CLOCK);
    BasicFileAttributes file = file("f", 10);
    SmallFiles.Small read = read("f", file, SETTLED);
    small.add(read);
    assertThat(small.find(file, () -> Optional.of(SETTLED))).isSameAs(read);
    assertThat(small.find(file, () -> Optional.of(SETTLED.plusNanos(1))))
        .as("changed since")
        .isNull();
    assertThat(small.find(file, Optional::empty)).as("nobody knows").isNull();
    assertThat(small.find(file("f", 11), () -> Optional.of(SETTLED))).as("longer").isNull();
  }

  @Test
  void shouldNotKeepAFileThatMayBeWrittenAgainWithinOneTickOfItsTime() throws Exception {
    SmallFiles small = new SmallFiles(10_000, CLOCK);
    BasicFileAttributes file = file("f", 10);
    Instant late = SETTLED.plusNanos(1);
    small.add(read("f", file, late));
    assertThat(small.find(file, () -> Optional.of(late))).isNull();
  }

  @Test
  void shouldLetGoOfWhatNobodyAskedForTheLongestTime() throws Exception {
    SmallFiles small = new SmallFiles(1_000, CLOCK);
    BasicFileAttributes a = file("a", 10);
    BasicFileAttributes b = file("b", 10);
    small.add(read("a", a, SETTLED));
    small.add(read("b", b, SETTLED));
    assertThat(small.find(a, () -> Optional.of(SETTLED))).isNotNull();
    BasicFileAttributes c = file("c", 10);
    small.add(read("c", c, SETTLED));
    assertThat(small.find(b, () -> Optional.of(SETTLED))).as("two of these fit").isNull();
    assertThat(small.find(a, () -> Optional.of(SETTLED))).isNotNull();
    assertThat(small.find(c, () -> Optional.of(SETTLED))).isNotNull();
  }

  private SmallFiles.Small read(String name, BasicFileAttributes file, Instant changed) {
    return new SmallFiles.Small(
        Facts.of(file, directory.resolve(name)), changed, ByteBuffer.allocate((int) file.size()));
  }

  private BasicFileAttributes file(String name, int size) throws Exception {
    Path path = directory.resolve(name);
    Files.write(path, new byte[size]);
    return Files.readAttributes(path, BasicFileAttributes.class);
  }
}
