package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.journal.JournalSettings.Engine;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("once") // says nothing of a version of Java
class DirectoryCheckTest {
  private static final String ID = "session-1";

  private final Path temp;

  DirectoryCheckTest(@TempDir Path temp) {
    this.temp = temp;
  }

  /** What a tail may look like that a power cut left. */
  enum Tail {
    NOTHING,
    GARBAGE,
    ZEROS
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldDropALastRecordTornAtAnyByte(Engine engine) throws IOException {
    Crashed crashed = crashed(engine, 3);
    int begin = crashed.ends.get(1);
    int end = crashed.ends.get(2);
    Random random = new Random(1);
    for (int cut = begin; cut <= end; cut++) {
      for (Tail tail : Tail.values()) {
        byte[] torn = Arrays.copyOf(crashed.wal(), crashed.wal().length);
        byte[] garbage = new byte[tail == Tail.GARBAGE ? 60 : 0];
        random.nextBytes(garbage);
        Arrays.fill(torn, cut, torn.length, (byte) 0);
        System.arraycopy(garbage, 0, torn, cut, garbage.length);
        Path directory =
            crashed.with(tail == Tail.ZEROS ? torn : Arrays.copyOf(torn, cut + garbage.length));

        // the last byte of a record may be a zero itself
        boolean whole = cut == end || (tail == Tail.ZEROS && crashed.isZero(cut, end));
        try (Database database = TestJournals.open(directory, engine)) {
          assertThat(TestJournals.events(database, ID))
              .as("cut at %d of %d to %d, then %s", cut, begin, end, tail)
              .isEqualTo(whole ? List.of(1L, 2L, 3L) : List.of(1L, 2L));
          if (cut % 8 != 0) {
            continue;
          }
          TestJournals.await(TestJournals.persist(database, ID, 4));
        }
        try (Database database = TestJournals.open(directory, engine)) {
          assertThat(TestJournals.events(database, ID)).contains(1L, 2L, 4L);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldRefuseACorruptMiddleAndChangeNothing(Engine engine) throws IOException {
    Crashed crashed = crashed(engine, 4);
    for (int at = 0; at < crashed.ends.get(2); at++) {
      byte[] corrupt = crashed.wal().clone();
      corrupt[at] ^= 0x10;
      Path directory = crashed.with(corrupt);
      Map<String, byte[]> before = TestJournals.contents(directory);

      assertThatThrownBy(() -> TestJournals.open(directory, engine))
          .as("bit flipped at %d", at)
          .isInstanceOf(JournalCorruptException.class)
          .hasMessageContaining(directory.resolve(crashed.walName) + " is damaged at offset ")
          .hasMessageContaining("and a good record begins behind it at offset ")
          .hasMessageContaining("remedy: put back a copy of " + directory);
      assertSame(TestJournals.contents(directory), before);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldAcceptZerosBehindTheLastRecord(Engine engine) throws IOException {
    Crashed crashed = crashed(engine, 3);
    Path directory = crashed.with(Arrays.copyOf(crashed.wal(), 1 << 20));
    try (Database database = TestJournals.open(directory, engine)) {
      assertThat(TestJournals.events(database, ID)).containsExactly(1L, 2L, 3L);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldRefuseADamagedTableOrLoseNothing(Engine engine) throws IOException {
    Tables tables = tables(engine);
    String name = TestJournals.newest(tables.contents, ".sst");
    byte[] table = TestJournals.file(tables.contents, name);
    int refused = 0;
    for (int at = 0; at < table.length; at += at < table.length - 60 ? 7 : 1) {
      byte[] damaged = table.clone();
      damaged[at] ^= 0x04;
      refused += refusedOrWhole(tables, engine, name, damaged) ? 1 : 0;
    }
    // only filler in the footer is of no account
    assertThat(refused).isGreaterThan(table.length / 7 - 10);
    assertThat(refusedOrWhole(tables, engine, name, Arrays.copyOf(table, table.length - 1)))
        .isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldRefuseADamagedManifestOrLoseNothing(Engine engine) throws IOException {
    Tables tables = tables(engine);
    String name = TestJournals.newest(tables.contents, "MANIFEST");
    byte[] manifest = TestJournals.file(tables.contents, name);
    long end = LogFile.read(manifest).wholeEnd();
    int refused = 0;
    for (int at = 0; at < end; at++) {
      byte[] damaged = manifest.clone();
      damaged[at] ^= 0x04;
      refused += refusedOrWhole(tables, engine, name, damaged) ? 1 : 0;
      refused += refusedOrWhole(tables, engine, name, Arrays.copyOf(manifest, at)) ? 1 : 0;
    }
    assertThat(refused).isGreaterThan(0);
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldRefuseEachMissingFile(Engine engine) throws IOException {
    Tables tables = tables(engine);
    SoftAssertions softly = new SoftAssertions();
    for (String name : tables.contents.keySet()) {
      Map<String, byte[]> rest = new TreeMap<>(tables.contents);
      rest.remove(name);
      TestJournals.restore(rest, tables.directory);
      softly
          .assertThatThrownBy(() -> TestJournals.open(tables.directory, engine))
          .isInstanceOf(JournalCorruptException.class)
          .hasMessageContaining(tables.directory.resolve(name) + " is missing")
          .hasMessageContaining("remedy: ");
    }
    softly.assertAll();
  }

  @Test
  void shouldAcceptADirectoryWhoseMakingWasInterrupted() throws IOException {
    Path directory = Files.createDirectory(temp.resolve("new"));
    Files.write(directory.resolve("MANIFEST-000001"), new byte[10]);
    try (Database database = TestJournals.open(directory, Engine.NATIVE)) {
      TestJournals.await(TestJournals.persist(database, ID, 1));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldReadWhatTheOtherEngineWrote(Engine engine) throws IOException {
    Crashed crashed = crashed(engine, 3);
    Engine other = engine == Engine.NATIVE ? Engine.JAVA : Engine.NATIVE;
    try (Database database = TestJournals.open(crashed.with(crashed.wal()), other)) {
      assertThat(TestJournals.events(database, ID)).containsExactly(1L, 2L, 3L);
    }
    Tables tables = tables(engine);
    TestJournals.restore(tables.contents, tables.directory);
    try (Database database = TestJournals.open(tables.directory, other)) {
      assertThat(TestJournals.events(database, ID)).hasSize(Tables.EVENTS);
    }
  }

  /** True where it was refused by name; fails where a record is gone in silence. */
  private static boolean refusedOrWhole(Tables tables, Engine engine, String name, byte[] damaged)
      throws IOException {
    Map<String, byte[]> contents = new TreeMap<>(tables.contents);
    contents.put(name, damaged);
    TestJournals.restore(contents, tables.directory);
    try (Database database = TestJournals.open(tables.directory, engine)) {
      assertThat(TestJournals.events(database, ID)).hasSize(Tables.EVENTS);
      return false;
    } catch (JournalCorruptException e) {
      assertThat(e).hasMessageContaining(tables.directory.toString());
      return true;
    }
  }

  private static void assertSame(Map<String, byte[]> actual, Map<String, byte[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    actual.forEach((name, bytes) -> assertThat(bytes).as(name).isEqualTo(expected.get(name)));
  }

  /** A directory as after a kill, its events one record each in the write-ahead log. */
  private final class Crashed {
    final Map<String, byte[]> contents;
    final String walName;
    final List<Integer> ends;

    Crashed(Map<String, byte[]> contents, List<Integer> ends) {
      this.contents = contents;
      this.walName = TestJournals.newest(contents, ".log");
      this.ends = ends;
    }

    byte[] wal() {
      return TestJournals.file(contents, walName);
    }

    boolean isZero(int from, int to) {
      return Arrays.equals(wal(), from, to, new byte[to - from], 0, to - from);
    }

    Path with(byte[] wal) throws IOException {
      Map<String, byte[]> changed = new TreeMap<>(contents);
      changed.put(walName, wal);
      Path directory = temp.resolve("crashed");
      TestJournals.restore(changed, directory);
      return directory;
    }
  }

  private Crashed crashed(Engine engine, int events) throws IOException {
    Path directory = temp.resolve("live");
    List<Integer> ends = new ArrayList<>();
    Map<String, byte[]> contents = Map.of();
    try (Database database = TestJournals.open(directory, engine)) {
      for (int number = 1; number <= events; number++) {
        TestJournals.await(TestJournals.persist(database, ID, number));
        contents = TestJournals.contents(directory);
        byte[] wal = TestJournals.file(contents, TestJournals.newest(contents, ".log"));
        LogFile.Contents log = LogFile.read(wal);
        assertThat(log.records()).hasSize(number);
        ends.add((int) log.wholeEnd());
      }
      return new Crashed(contents, ends);
    }
  }

  /** A directory as after a kill, with its events in tables. */
  private static final class Tables {
    static final int EVENTS = 100;
    final Path directory;
    final Map<String, byte[]> contents;

    Tables(Path directory, Map<String, byte[]> contents) {
      this.directory = directory;
      this.contents = contents;
    }
  }

  private Tables tables(Engine engine) throws IOException {
    Path directory = temp.resolve("tables");
    try (Database database = TestJournals.open(directory, engine)) {
      LongStream.rangeClosed(1, Tables.EVENTS)
          .mapToObj(number -> TestJournals.persist(database, ID, number))
          .toList()
          .forEach(TestJournals::await);
    }
    // opening turns the log into a table
    try (Database database = Database.open(TestJournals.settings(directory, engine), Steps.NONE)) {
      assertThat(TestJournals.events(database, ID)).hasSize(Tables.EVENTS);
      return new Tables(temp.resolve("changed"), TestJournals.contents(directory));
    }
  }
}
