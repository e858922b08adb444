package io.theseus.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.journal.JournalSettings.Engine;
import io.theseus.steps.Steps;
import io.theseus.testing.SmallDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DatabaseTest {
  private final Path temp;

  DatabaseTest(@TempDir Path temp) {
    this.temp = temp;
  }

  /** Holds the writer before its sync until it is let go. */
  private static final class Gate implements Steps {
    final Semaphore reached = new Semaphore(0);
    final CountDownLatch open = new CountDownLatch(1);

    @Override
    public void at(String name) {
      if (name.equals("journal.before-sync")) {
        reached.release();
        try {
          if (!open.await(30, TimeUnit.SECONDS)) {
            throw new IllegalStateException("gate never opened");
          }
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
    }

    void awaitWriter() throws InterruptedException {
      assertThat(reached.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldCommitAThousandSessionsInOneSync(Engine engine) throws Exception {
    Gate gate = new Gate();
    ExecutorService sessions = Executors.newFixedThreadPool(8);
    try (Database database = Database.open(TestJournals.settings(temp, engine), gate)) {
      List<CompletableFuture<Void>> writes = new ArrayList<>();
      writes.add(TestJournals.persist(database, "first", 1));
      gate.awaitWriter();
      List<Future<CompletableFuture<Void>>> submitted =
          sessions.invokeAll(
              LongStream.range(0, 1_000)
                  .<Callable<CompletableFuture<Void>>>mapToObj(
                      n -> () -> TestJournals.persist(database, "session-" + n, 1))
                  .toList());
      for (Future<CompletableFuture<Void>> write : submitted) {
        writes.add(write.get(30, TimeUnit.SECONDS));
      }
      assertThat(database.batches()).isZero();
      assertThat(writes).noneMatch(CompletableFuture::isDone);

      gate.open.countDown();

      writes.forEach(TestJournals::await);
      assertThat(database.batches()).isEqualTo(2);
      assertThat(TestJournals.countKeys(database)).isEqualTo(1_001);
    } finally {
      sessions.shutdownNow();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldEndManySessionsInOneSync(Engine engine) throws Exception {
    Gate gate = new Gate();
    try (Database setUp = TestJournals.open(temp, engine)) {
      LongStream.range(0, 100)
          .mapToObj(n -> TestJournals.persist(setUp, "session-" + n, 1))
          .toList()
          .forEach(TestJournals::await);
    }
    try (Database database = Database.open(TestJournals.settings(temp, engine), gate)) {
      CompletableFuture<Void> first = TestJournals.persist(database, "first", 1);
      gate.awaitWriter();
      List<CompletableFuture<Void>> ends =
          LongStream.range(0, 100)
              .mapToObj(n -> database.write(new Change.End("session-" + n)))
              .toList();
      gate.open.countDown();
      TestJournals.await(first);
      ends.forEach(TestJournals::await);
      assertThat(database.batches()).isEqualTo(2);
      assertThat(TestJournals.countKeys(database)).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldDeleteAllOfAnEndedIdAndNothingElse(Engine engine) {
    try (Database database = TestJournals.open(temp, engine)) {
      List<CompletableFuture<Void>> writes = new ArrayList<>();
      for (String id : List.of("a", "b", "ab")) {
        byte[] snapshot = Keys.snapshot(id, 2, 77);
        writes.add(
            database.write(
                new Change.Store(
                    id,
                    List.of(
                        TestJournals.event(id, 1),
                        TestJournals.event(id, 2),
                        TestJournals.event(id, 3),
                        new Change.Operation(snapshot, Records.head(snapshot, 7))))));
        writes.add(database.write(new Change.DeleteEvents(id, 2)));
      }
      // submitted with writes of the same id still on their way
      writes.add(TestJournals.persist(database, "a", 4));
      writes.add(database.write(new Change.End("a")));
      writes.forEach(TestJournals::await);

      assertThat(database.<Long>read(reader -> reader.highestSequenceNr("a"))).isZero();
      assertThat(TestJournals.events(database, "a")).isEmpty();
      // head, event 3 and snapshot of each of the others
      assertThat(TestJournals.countKeys(database)).isEqualTo(6);
      assertThat(TestJournals.events(database, "ab")).containsExactly(3L);
      assertThat(database.<Long>read(reader -> reader.highestSequenceNr("b"))).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldTouchNothingWhenAnIdWithoutRecordsEnds(Engine engine) throws IOException {
    try (Database database = TestJournals.open(temp, engine)) {
      TestJournals.await(TestJournals.persist(database, "a", 1));
      var before = TestJournals.contents(temp);
      TestJournals.await(database.write(new Change.End("unknown")));
      TestJournals.await(database.write(new Change.DeleteEvents("unknown", 5)));

      assertThat(database.batches()).isEqualTo(1);
      assertThat(TestJournals.contents(temp))
          .allSatisfy((name, file) -> assertThat(file).isEqualTo(before.get(name)));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldKeepTheHighestNumberOfDeletedEvents(Engine engine) {
    try (Database database = TestJournals.open(temp, engine)) {
      for (long number = 1; number <= 5; number++) {
        TestJournals.await(TestJournals.persist(database, "a", number));
      }
      TestJournals.await(database.write(new Change.DeleteEvents("a", Long.MAX_VALUE)));
      assertThat(TestJournals.events(database, "a")).isEmpty();
    }
    try (Database database = TestJournals.open(temp, engine)) {
      assertThat(database.<Long>read(reader -> reader.highestSequenceNr("a"))).isEqualTo(5);
      TestJournals.await(database.write(new Change.DeleteEvents("a", Long.MAX_VALUE)));
      assertThat(database.<Long>read(reader -> reader.highestSequenceNr("a"))).isEqualTo(5);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldStayFailedAfterAFailedSync(Engine engine) {
    AtomicInteger passed = new AtomicInteger();
    Steps failing =
        name -> {
          if (name.equals("journal.before-sync") && passed.incrementAndGet() == 2) {
            throw new InternalError("Input/output error");
          }
        };
    try (Database database = Database.open(TestJournals.settings(temp, engine), failing)) {
      TestJournals.await(TestJournals.persist(database, "a", 1));
      for (long number : new long[] {2, 3}) {
        assertThat(TestJournals.persist(database, "a", number))
            .failsWithin(30, TimeUnit.SECONDS)
            .withThrowableThat()
            .havingCause()
            .isInstanceOf(JournalException.class)
            .withMessage(
                "journal %s: failed, takes no writes until the node is started again:"
                    + " java.lang.InternalError: Input/output error",
                temp);
      }
      assertThat(passed).as("syncs tried").hasValue(2);
      assertThat(database.failure())
          .hasValueSatisfying(text -> assertThat(text).contains("Input/output"));
      assertThat(TestJournals.events(database, "a")).as("reads go on").containsExactly(1L);
    }
    try (Database database = TestJournals.open(temp, engine)) {
      TestJournals.await(TestJournals.persist(database, "a", 2));
      assertThat(TestJournals.events(database, "a")).containsExactly(1L, 2L);
    }
  }

  @Test
  void shouldRefuseWhatDoesNotFitItsQueue() throws Exception {
    Gate gate = new Gate();
    JournalSettings settings = new JournalSettings(temp, Engine.NATIVE, 2, 1 << 20, 0, 4 << 20);
    try (Database database = Database.open(settings, gate)) {
      CompletableFuture<Void> held = TestJournals.persist(database, "a", 1);
      gate.awaitWriter();
      List<CompletableFuture<Void>> queued =
          List.of(TestJournals.persist(database, "b", 1), TestJournals.persist(database, "c", 1));
      assertThat(TestJournals.persist(database, "d", 1))
          .failsWithin(30, TimeUnit.SECONDS)
          .withThrowableThat()
          .withMessageContaining("journal " + temp + ": writes waiting: 2 (expected: < 2)");
      gate.open.countDown();
      TestJournals.await(held);
      queued.forEach(TestJournals::await);
      TestJournals.await(TestJournals.persist(database, "d", 1));
    }
  }

  @Test
  void shouldCommitWhatWaitsBeforeItCloses() throws Exception {
    Gate gate = new Gate();
    Database database = Database.open(TestJournals.settings(temp, Engine.NATIVE), gate);
    CompletableFuture<Void> held = TestJournals.persist(database, "a", 1);
    gate.awaitWriter();
    CompletableFuture<Void> queued = TestJournals.persist(database, "b", 1);
    CompletableFuture<Void> closed = CompletableFuture.runAsync(database::close);
    gate.open.countDown();
    TestJournals.await(closed);
    assertThat(held).isCompleted();
    assertThat(queued).isCompleted();
    assertThat(TestJournals.persist(database, "c", 1))
        .failsWithin(30, TimeUnit.SECONDS)
        .withThrowableThat()
        .withMessageContaining("journal " + temp + ": closed");
    assertThatThrownBy(() -> TestJournals.countKeys(database))
        .hasMessage("journal " + temp + ": closed");
    database.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldRefuseASecondOpeningInThisProcess(Engine engine) {
    try (Database first = TestJournals.open(temp, engine)) {
      for (int attempt = 0; attempt < 2; attempt++) {
        assertThatThrownBy(() -> TestJournals.open(temp, engine))
            .isInstanceOf(JournalException.class)
            .hasMessage(
                "journal "
                    + temp
                    + ": in use by this process (expected: one process for each directory); stop"
                    + " it, or set another theseus.data-dir");
      }
      // the attempts didn't take the first one's lock away
      JournalProcess.Result second = JournalProcess.run(temp, engine, "");
      assertThat(second.exitCode()).isEqualTo(JournalProcess.REFUSED);
      TestJournals.await(TestJournals.persist(first, "a", 1));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldRefuseASecondProcess(Engine engine) {
    try (Database database = TestJournals.open(temp, engine)) {
      JournalProcess.Result second = JournalProcess.run(temp, engine, "");
      assertThat(second.exitCode()).isEqualTo(JournalProcess.REFUSED);
      assertThat(second.output())
          .contains(
              "journal "
                  + temp
                  + ": in use by process "
                  + ProcessHandle.current().pid()
                  + " (expected: one process for each directory)");
      TestJournals.await(TestJournals.persist(database, "a", 1));
    }
    assertThat(JournalProcess.run(temp, engine, "").exitCode()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"NATIVE", "JAVA"})
  void shouldHoldWhatWasSyncedWhenTheProcessIsKilled(Engine engine) {
    for (var expected :
        Map.of("journal.before-sync:30", 29L, "journal.synced:30", 30L).entrySet()) {
      Path directory = temp.resolve(expected.getKey().replace(':', '-'));
      JournalProcess.Result killed = JournalProcess.run(directory, engine, expected.getKey());

      assertThat(killed.exitCode()).as(killed.output()).isEqualTo(137);
      assertThat(killed.output()).contains("acknowledged 29").doesNotContain("acknowledged 30");
      try (Database database = TestJournals.open(directory, engine)) {
        assertThat(TestJournals.events(database, JournalProcess.ID))
            .hasSize(expected.getValue().intValue())
            .last()
            .isEqualTo(expected.getValue());
      }
    }
  }

  @Test
  void shouldRefuseToWriteBelowTheFreeSpaceAndGoOnWhenThereIsMore() throws Exception {
    try (SmallDisk disk = SmallDisk.tmpfs(temp.resolve("disk"), "size=80m")) {
      JournalSettings settings =
          new JournalSettings(
              disk.path().resolve("journal"), Engine.NATIVE, 100, 1 << 20, 64 << 20, 1 << 20);
      try (Database database = Database.open(settings, Steps.NONE)) {
        TestJournals.await(TestJournals.persist(database, "a", 1));
        Path filler = Files.write(disk.path().resolve("filler"), new byte[40 << 20]);

        assertThat(TestJournals.persist(database, "a", 2))
            .failsWithin(30, TimeUnit.SECONDS)
            .withThrowableThat()
            .withMessageContaining("journal " + settings.directory() + ": free space: ")
            .withMessageContaining("bytes (expected: >= 67108");
        assertThat(TestJournals.events(database, "a")).containsExactly(1L);
        assertThat(database.failure()).isEmpty();

        Files.delete(filler);
        TestJournals.await(TestJournals.persist(database, "a", 2));
      }
      Files.write(disk.path().resolve("filler"), new byte[72 << 20]);
      assertThatThrownBy(() -> Database.open(settings, Steps.NONE))
          .hasMessageContaining("journal " + settings.directory() + ": free space to open it: ");
    }
  }

  @Test
  void shouldRefuseAReadOnlyFileSystem() throws Exception {
    try (SmallDisk disk = SmallDisk.tmpfs(temp.resolve("disk"), "size=8m")) {
      Path directory = disk.path().resolve("journal");
      TestJournals.open(directory, Engine.NATIVE).close();
      disk.remount("ro");
      assertThatThrownBy(() -> TestJournals.open(directory, Engine.NATIVE))
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("journal " + directory + " can't be opened: ")
          .hasMessageContaining("Read-only file system");
    }
  }

  @Test
  void shouldLeaveNoLibraryBehindWhenKilled() throws IOException {
    Path tmp = Files.createDirectory(temp.resolve("tmp"));
    JournalProcess.Result killed =
        JournalProcess.run(temp.resolve("journal"), Engine.NATIVE, "journal.synced:1", tmp);

    assertThat(killed.exitCode()).as(killed.output()).isEqualTo(137);
    try (Stream<Path> files = Files.list(tmp)) {
      // the JVM's own is there too
      assertThat(files).noneMatch(file -> file.toString().contains("leveldb"));
    }
  }

  @Test
  void shouldFindADamagedRecordOfItsOwn() {
    byte[] key = Keys.event("a", 1);
    byte[] value = Records.head(key, 1);
    try (Database database = TestJournals.open(temp, Engine.NATIVE)) {
      for (int at = 0; at < value.length; at++) {
        byte[] damaged = value.clone();
        damaged[at] ^= 1;
        TestJournals.await(
            database.write(new Change.Store("a", List.of(new Change.Operation(key, damaged)))));
        assertThatThrownBy(() -> TestJournals.events(database, "a"))
            .isInstanceOf(JournalCorruptException.class)
            .hasMessageContaining("journal corrupt: " + temp + ": event 1 of a has ")
            .hasMessageContaining("(expected: ");
      }
      // a good record under another key
      TestJournals.await(
          database.write(
              new Change.Store(
                  "a", List.of(new Change.Operation(Keys.event("a", 1), misfiled())))));
      assertThatThrownBy(() -> TestJournals.events(database, "a"))
          .hasMessageContaining("event 1 of a has checksum ");
    }
  }

  private static byte[] misfiled() {
    return Records.head(Keys.event("a", 2), 1);
  }
}
