package io.theseus.repair;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.store.Source;
import io.theseus.wire.ProtocolException;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** A file that comes bit by bit, with a timer that the test holds. */
final class PacedTest {
  private static final long KIB = 1024;

  private record Task(Runnable run, long nanos) {}

  private final AtomicLong now = new AtomicLong();
  private final Deque<Task> tasks = new ArrayDeque<>();
  private final Whole file = new Whole(100 * KIB);

  /** All there, of which nothing is read. */
  private static final class Whole implements Source {
    private final long size;
    private boolean closed;

    Whole(long size) {
      this.size = size;
    }

    @Override
    public FileChannel channel() {
      throw new AssertionError("read");
    }

    @Override
    public long available() {
      return size;
    }

    @Override
    public int summed() {
      return 3;
    }

    @Override
    public int[] sums(int firstBlock, int count) {
      return new int[count];
    }

    @Override
    public Optional<ProtocolException> failure() {
      return Optional.empty();
    }

    @Override
    public void onChange(Runnable watcher) {
      // never
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private Source source(long bytesPerSecond) {
    Rate rate = new Rate(bytesPerSecond, now::get);
    return Paced.of(file, rate, (run, nanos) -> tasks.add(new Task(run, nanos)));
  }

  private void runNext() {
    Task next = tasks.remove();
    now.addAndGet(next.nanos());
    next.run().run();
  }

  @Test
  void shouldShowMoreAndMore() {
    AtomicInteger told = new AtomicInteger();
    Source source = source(64 * KIB);
    source.onChange(told::incrementAndGet);
    assertThat(source.available()).isZero();
    assertThat(source.summed()).isEqualTo(3);
    int before = told.get();
    runNext();
    // a copy that has not got on for 15 s is lost: with many at once a step is a little while
    assertThat(source.available()).isEqualTo(4 * KIB);
    assertThat(TimeUnit.NANOSECONDS.toMillis(now.get())).isEqualTo(62);
    assertThat(told.get()).isEqualTo(before + 1);
    while (!tasks.isEmpty()) {
      runNext();
    }
    assertThat(source.available()).isEqualTo(100 * KIB);
    assertThat(TimeUnit.NANOSECONDS.toMillis(now.get())).isBetween(1500L, 1570L);
  }

  @Test
  void shouldTellAtOnceWhoComesLate() {
    AtomicInteger told = new AtomicInteger();
    Source source = source(64 * KIB);
    runNext();
    source.onChange(told::incrementAndGet);
    assertThat(told).hasValue(1);
  }

  @Test
  void shouldTakeNoTimeForWhatIsThereAlready() {
    Source source = source(64 * KIB);
    source.from(90 * KIB);
    assertThat(source.available()).isEqualTo(90 * KIB);
    source.from(10 * KIB);
    assertThat(source.available()).isEqualTo(90 * KIB);
    runNext();
    assertThat(source.available()).isEqualTo(94 * KIB);
    source.from(1000 * KIB);
    assertThat(source.available()).isEqualTo(100 * KIB);
    runNext();
    assertThat(tasks).isEmpty();
    assertThat(source.available()).isEqualTo(100 * KIB);
  }

  @Test
  void shouldShowAllWhereThereIsNoLimit() {
    assertThat(source(0)).isSameAs(file);
    assertThat(tasks).isEmpty();
  }

  @Test
  void shouldEndWhereNobodyReadsAnyMore() {
    Source source = source(64 * KIB);
    source.close();
    assertThat(file.closed).isTrue();
    runNext();
    assertThat(tasks).isEmpty();
  }
}
