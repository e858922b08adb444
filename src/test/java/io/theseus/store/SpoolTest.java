package io.theseus.store;

import static io.theseus.store.StoreFixture.name;
import static io.theseus.store.StoreFixture.run;
import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.testing.SmallDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The window of a spooled source: against all that ever came, and on disks that are full. */
@Timeout(60)
class SpoolTest {
  private static final int WINDOW = 80_000;

  private Path directory;

  @BeforeEach
  void open(@TempDir Path temporary) {
    directory = temporary;
  }

  /** A source that gives what it is handed, piece by piece; an empty piece is its end. */
  private static final class Handed extends LiveInput {
    private final BlockingQueue<byte[]> pieces = new LinkedBlockingQueue<>();
    private byte[] rest = new byte[0];

    @Override
    int read(byte[] into, int at, int most) throws IOException {
      try {
        if (rest.length == 0) {
          rest = pieces.take();
          if (rest.length == 0) {
            return -1;
          }
        }
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      int n = Math.min(most, rest.length);
      System.arraycopy(rest, 0, into, at, n);
      rest = Arrays.copyOfRange(rest, n, rest.length);
      return n;
    }

    @Override
    void cancel() {
      pieces.add(new byte[0]);
    }

    @Override
    public void close() {
      // nothing is held
    }
  }

  /** The slow model: every byte that ever came. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void shouldGiveTheRightBytesAnywhereInTheWindowAndNoneOutside(long seed) throws Exception {
    Random random = new Random(seed);
    byte[] all = new byte[2_000_000];
    random.nextBytes(all);
    Handed source = new Handed();
    Spool spool = Spool.start("s", source, directory, WINDOW, () -> {});
    SpoolReader reader = spool.join();
    int came = 0;
    int inside = 0;
    int outside = 0;
    while (came < 1_500_000) {
      int piece = 1 + random.nextInt(random.nextInt(10) == 0 ? 100_000 : 5_000);
      source.pieces.add(Arrays.copyOfRange(all, came, came + piece));
      came += piece;
      int end = came;
      soon().until(() -> reader.end() == end);
      assertThat(reader.base()).isGreaterThanOrEqualTo(came - WINDOW);
      assertThat(reader.base()).isLessThanOrEqualTo(Math.max(0, came - WINDOW / 8 * 7));
      assertThat(onDisk()).isLessThanOrEqualTo(WINDOW).isEqualTo(came - reader.base());
      for (int i = 0; i < 5; i++) {
        long offset =
            random.nextInt(4) == 0 ? random.nextInt(came + 1) : came - random.nextInt(WINDOW);
        ByteBuffer into = ByteBuffer.allocate(1 + random.nextInt(20_000));
        int read = offset < 0 ? 0 : reader.read(offset, into);
        if (offset >= reader.base()) {
          int wanted = (int) Math.min(into.capacity(), came - offset);
          assertThat(read).isEqualTo(wanted);
          assertThat(Arrays.copyOf(into.array(), read))
              .isEqualTo(Arrays.copyOfRange(all, (int) offset, (int) offset + read));
          inside++;
        } else {
          assertThat(read).isZero();
          outside++;
        }
      }
    }
    assertThat(inside).isGreaterThan(100);
    assertThat(outside).isGreaterThan(20);
    assertThat(reader.size()).isEmpty();
    source.cancel();
    int end = came;
    soon().untilAsserted(() -> assertThat(reader.size()).hasValue(end));
    // what is left goes with the last reader
    spool.retire();
    assertThat(onDisk()).isPositive();
    reader.close();
    soon().until(() -> onDisk() == 0);
  }

  private static ConditionFactory soon() {
    return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1));
  }

  private long onDisk() {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(Path::toFile)
          .filter(java.io.File::isFile)
          .mapToLong(java.io.File::length)
          .sum();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shouldNotWaitForAReaderAndSayWhereItIsPassed() throws Exception {
    Handed source = new Handed();
    Spool spool = Spool.start("s", source, directory, WINDOW, () -> {});
    SpoolReader slow = spool.join();
    SpoolReader fast = spool.join();
    for (int i = 0; i < 200; i++) {
      source.pieces.add(new byte[1000]);
    }
    soon().until(() -> fast.end() == 200_000);
    assertThat(slow.read(0, ByteBuffer.allocate(10))).isZero();
    assertThat(slow.base()).isGreaterThan(100_000);
    assertThat(fast.read(199_990, ByteBuffer.allocate(100))).isEqualTo(10);
    spool.retire();
  }

  @Test
  void shouldMakeTheWindowShorterOnAFullDiskAndFailWhereNothingFits() throws Exception {
    try (SmallDisk small = SmallDisk.tmpfs(directory.resolve("small"), "size=1m")) {
      Handed source = new Handed();
      Spool spool = Spool.start("s", source, small.path(), 16L << 20, () -> {});
      SpoolReader reader = spool.join();
      Random random = new Random(4);
      byte[] last = new byte[10_000];
      for (int i = 0; i < 300; i++) {
        random.nextBytes(last);
        source.pieces.add(last.clone());
      }
      // a segment is longer than the disk: there is nothing to give up
      soon().until(() -> reader.failure().isPresent());
      assertThat(reader.failure().orElseThrow().errorText())
          .isEqualTo(
              "no-space: live source \"s\": spooling failed: No space left on device (expected:"
                  + " room for 2097152 bytes at least)");
      spool.retire();
      reader.close();
      soon().until(() -> small.path().toFile().list().length == 0);

      Handed other = new Handed();
      Spool smaller = Spool.start("s", other, small.path(), 2L << 20, () -> {});
      SpoolReader second = smaller.join();
      byte[] all = new byte[3_000_000];
      random.nextBytes(all);
      for (int i = 0; i < 300; i++) {
        other.pieces.add(Arrays.copyOfRange(all, i * 10_000, (i + 1) * 10_000));
      }
      soon().until(() -> second.end() == all.length || second.failure().isPresent());
      assertThat(second.failure()).isEmpty();
      assertThat(second.base()).isGreaterThan(all.length - (1 << 20));
      ByteBuffer into = ByteBuffer.allocate(100_000);
      assertThat(second.read(all.length - 100_000, into)).isEqualTo(100_000);
      assertThat(into.array()).isEqualTo(Arrays.copyOfRange(all, all.length - 100_000, all.length));
      smaller.retire();
      second.close();
    }
  }

  @Test
  void shouldFeedAllReadersFromOneSourceAndBeginAnewBehindItsEnd() throws Exception {
    Path starts = directory.resolve("starts");
    Path fifo = directory.resolve("go");
    run("mkfifo", fifo.toString());
    Path spools = directory.resolve("spool");
    Files.createDirectories(spools);
    Files.writeString(spools.resolve("left-by-an-earlier-process"), "x");
    try (LiveSources sources =
        LiveSources.open(
            Map.of(
                name("s"),
                new LiveSource.Command(
                    List.of("sh", "-c", "echo x >> " + starts + "; echo begin; cat " + fifo),
                    1 << 20)),
            1 << 20,
            spools)) {
      assertThat(spools).isEmptyDirectory();
      List<LiveStream> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.add(sources.open(name("s"), i != 1).orElseThrow());
      }
      soon().until(() -> readers.get(0).end() == 6);
      assertThat(Files.readAllLines(starts)).hasSize(1);
      Optional<String> identity = readers.get(0).identity();
      assertThat(readers).allSatisfy(each -> assertThat(each.identity()).isEqualTo(identity));
      // nobody reads: it goes on all the same
      readers.forEach(LiveStream::close);
      Files.writeString(fifo, "end\n");
      LiveStream resumed = sources.open(name("s"), false).orElseThrow();
      soon().until(() -> resumed.size().isPresent());
      assertThat(resumed.identity()).isEqualTo(identity);
      assertThat(resumed.size()).hasValue(10);

      LiveStream anew = sources.open(name("s"), true).orElseThrow();
      assertThat(anew.identity()).isNotEqualTo(identity);
      soon().until(() -> anew.end() == 6);
      assertThat(Files.readAllLines(starts)).hasSize(2);
      assertThat(resumed.read(0, ByteBuffer.allocate(100))).isEqualTo(10);
      resumed.close();
      anew.close();
    }
    soon().untilAsserted(() -> assertThat(spools).isEmptyDirectory());
  }
}
