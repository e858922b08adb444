package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of small files, and when it is not asked again. */
class SmallFilesTest {
  private static final Instant NOW = Instant.parse("2026-11-21T22:00:00Z");
  private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);

  @TempDir Path directory;

  @Test
  void shouldGiveBackWhatWasReadOfAFileThatIsTheSame() throws Exception {
    SmallFiles small = new SmallFiles(10_000, CLOCK);
    BasicFileAttributes file = file("f", 10, SmallFiles.SETTLED);
    SmallFiles.Small read = read("f", file);
    small.add(read);
    assertThat(small.find(file)).isSameAs(read);
    BasicFileAttributes longer = file("f", 11, SmallFiles.SETTLED);
    assertThat(small.find(longer)).as("another size").isNull();
    assertThat(small.find(file)).as("forgotten by then").isNull();
  }

  @Test
  void shouldNotKeepAFileThatMayBeWrittenAgainWithinOneTickOfItsTime() throws Exception {
    SmallFiles small = new SmallFiles(10_000, CLOCK);
    BasicFileAttributes file = file("f", 10, SmallFiles.SETTLED.minusNanos(1));
    small.add(read("f", file));
    assertThat(small.find(file)).isNull();
  }

  @Test
  void shouldLetGoOfWhatNobodyAskedForTheLongestTime() throws Exception {
    SmallFiles small = new SmallFiles(1_000, CLOCK);
    BasicFileAttributes a = file("a", 10, Duration.ofDays(1));
    BasicFileAttributes b = file("b", 10, Duration.ofDays(1));
    small.add(read("a", a));
    small.add(read("b", b));
    assertThat(small.find(a)).isNotNull();
    BasicFileAttributes c = file("c", 10, Duration.ofDays(1));
    small.add(read("c", c));
    assertThat(small.find(b)).as("two of these fit").isNull();
    assertThat(small.find(a)).isNotNull();
    assertThat(small.find(c)).isNotNull();
  }

  private SmallFiles.Small read(String name, BasicFileAttributes file) {
    return new SmallFiles.Small(
        Facts.of(file, directory.resolve(name)), ByteBuffer.allocate((int) file.size()));
  }

  private BasicFileAttributes file(String name, int size, Duration age) throws Exception {
    Path path = directory.resolve(name);
    Files.write(path, new byte[size]);
    Files.setLastModifiedTime(path, FileTime.from(NOW.minus(age)));
    return Files.readAttributes(path, BasicFileAttributes.class);
  }
}
