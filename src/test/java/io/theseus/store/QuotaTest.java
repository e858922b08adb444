package io.theseus.store;

import static io.theseus.store.StoreFixture.await;
import static io.theseus.store.StoreFixture.name;
import static io.theseus.store.StoreFixture.refusal;
import static io.theseus.store.StoreFixture.request;
import static io.theseus.store.StoreFixture.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The limits of a store: exact at every moment, whoever uploads, replaces and deletes. */
@Timeout(60)
class QuotaTest {
  @Test
  void shouldRefuseEarlyWhereTheSizeIsKnown(@TempDir Path directory) throws Exception {
    try (StoreFixture fixture = limited(directory, 10, 0)) {
      fixture.put("a", "1234567");
      assertThat(refusal(() -> fixture.store.begin(sized("b", 4))))
          .isEqualTo(
              "no-space: \"b\" needs 4 bytes more (expected: <= 3, as 7 of 10,"
                  + " theseus.store.max-bytes, are used)");
      assertThat(fixture.staging()).isDirectoryNotContaining("glob:**.part");
      assertThat(fixture.store.reservedBytes()).isZero();
      assertUse(fixture, 7, 1);
      fixture.put(sized("b", 3), "890");
      assertUse(fixture, 10, 2);
    }
  }

  @Test
  void shouldRefuseInMidUploadWhereTheSizeIsUnknown(@TempDir Path directory) throws Exception {
    try (StoreFixture fixture = limited(directory, 10, 0)) {
      UploadRequest request = request("a");
      Upload upload = fixture.store.begin(request);
      write(upload.takeOver(), "12345678");
      assertThat(await(upload.sync())).isEqualTo(8);
      assertUse(fixture, 8, 1);
      write(upload.takeOver(), "9ab");
      assertThat(refusal(() -> await(upload.sync())))
          .isEqualTo(
              "no-space: \"a\" needs 3 bytes more (expected: <= 2, as 8 of 10,"
                  + " theseus.store.max-bytes, are used)");
      assertThat(fixture.names()).isEmpty();

      // what is staged stays, and counts, until the client goes on or gives up
      assertUse(fixture, 8, 1);
      Upload again = fixture.store.reopen(request, 8, /* altered= */ false);
      write(again.takeOver(), "9a");
      await(again.commit(10, Optional.empty()));
      assertUse(fixture, 10, 1);
      assertThat(fixture.read("a")).isEqualTo("123456789a");
    }
  }

  @Test
  void shouldCountTheDifferenceOfWhatIsReplaced(@TempDir Path directory) throws Exception {
    try (StoreFixture fixture = limited(directory, 10, 1)) {
      fixture.put("a", "12345678");
      fixture.put(sized("a", 10), "1234567890");
      assertUse(fixture, 10, 1);
      assertThat(refusal(() -> fixture.store.begin(sized("a", 11))))
          .startsWith("no-space: \"a\" needs 1 bytes more (expected: <= 0, as 10 of 10");
      fixture.put("a", "1");
      assertUse(fixture, 1, 1);
      fixture.store.delete(name("a"), Optional.empty());
      assertUse(fixture, 0, 0);
    }
  }

  @Test
  void shouldLookAgainAtWhatIsReplacedWhenTheNameIsSwitched(@TempDir Path directory)
      throws Exception {
    try (StoreFixture fixture = limited(directory, 10, 0)) {
      fixture.put("a", "12345678");
      UploadRequest request = sized("a", 10);
      Upload upload = fixture.store.begin(request);
      write(upload.takeOver(), "1234567890");
      // the room that it reckoned with goes to others
      fixture.store.delete(name("a"), Optional.empty());
      assertUse(fixture, 2, 0);
      fixture.put(sized("b", 8), "12345678");

      assertThat(refusal(() -> await(upload.commit(10, Optional.empty()))))
          .startsWith("no-space: \"a\" needs 8 bytes more (expected: <= 0, as 10 of 10");
      assertThat(fixture.names()).containsExactly("b");

      fixture.store.delete(name("b"), Optional.empty());
      Upload again = fixture.store.reopen(request, 10, /* altered= */ false);
      await(again.commit(10, Optional.empty()));
      assertThat(fixture.read("a")).isEqualTo("1234567890");
      assertUse(fixture, 10, 1);
    }
  }

  @Test
  void shouldCountFilesAndThoseOnTheirWay(@TempDir Path directory) throws Exception {
    try (StoreFixture fixture = limited(directory, 0, 2)) {
      fixture.put("folder/a", "");
      Upload upload = fixture.store.begin(request("b"));
      assertThat(refusal(() -> fixture.store.begin(request("c"))))
          .isEqualTo(
              "no-space: \"c\" needs 1 files more (expected: <= 0, as 2 of 2,"
                  + " theseus.store.max-files, are used)");
      await(upload.discard());
      fixture.put("c", "x");
      assertThat(fixture.names()).containsExactly("c", "folder/a");
    }
  }

  @Test
  void shouldGiveTheLastBytesToOneOfTwo(@TempDir Path directory) throws Exception {
    try (StoreFixture fixture = limited(directory, 10, 0)) {
      for (int round = 0; round < 50; round++) {
        CountDownLatch start = new CountDownLatch(1);
        List<Upload> begun = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
          UploadRequest request = sized("f" + i, 6);
          Thread thread =
              new Thread(
                  () -> {
                    try {
                      start.await();
                      Upload upload = fixture.store.begin(request);
                      synchronized (begun) {
                        begun.add(upload);
                      }
                    } catch (ProtocolException e) {
                      synchronized (begun) {
                        refused.add(e.errorText());
                      }
                    } catch (InterruptedException e) {
                      throw new AssertionError(e);
                    }
                  });
          threads.add(thread);
          thread.start();
        }
        start.countDown();
        for (Thread thread : threads) {
          thread.join();
        }
        assertThat(begun).hasSize(1);
        assertThat(refused).singleElement().asString().contains("needs 6 bytes more");
        await(begun.get(0).discard());
        assertUse(fixture, 0, 0);
      }
    }
  }

  @Test
  void shouldCountWhatIsThereWhenItIsOpened(@TempDir Path directory) throws Exception {
    try (StoreFixture fixture = limited(directory, 100, 100)) {
      UploadRequest request = request("new");
      Upload upload = fixture.store.begin(request);
      write(upload.takeOver(), "staged");
      await(upload.sync());
      Files.createDirectories(fixture.root.resolve("by/hand"));
      Files.writeString(fixture.root.resolve("by/hand/file"), "0123456789");
      Files.createSymbolicLink(fixture.root.resolve("link"), Path.of("by/hand/file"));
      assertUse(fixture, 6, 1);

      fixture.restart(request.session());
      assertUse(fixture, 16, 2);
      // the removal of what nobody resumed gives its room back
      await(fixture.store.reopen(request, 6, /* altered= */ false).discard());
      assertUse(fixture, 10, 1);
    }
  }

  @Test
  void shouldTakeNothingButLessWhereItHoldsMoreThanItMay(@TempDir Path directory) throws Exception {
    try (StoreFixture fixture = limited(directory, 0, 0)) {
      fixture.put("a", "1234567890");
      fixture.put("b", "1234567890");
      fixture.maxBytes = 15;
      fixture.maxFiles = 1;
      fixture.restart();
      assertThat(refusal(() -> fixture.store.begin(request("c")))).contains("needs 1 files more");
      fixture.put("a", "1234567890");
      assertThat(refusal(() -> fixture.store.begin(sized("a", 11)))).contains("<= 0, as 20 of 15");
      fixture.put("a", "1");
      assertUse(fixture, 11, 2);
    }
  }

  /** Against the disk itself: after each step what is counted is what a walk finds. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void shouldAgreeWithTheDiskAtEveryStep(long seed, @TempDir Path directory) throws Exception {
    Random random = new Random(seed);
    Map<UUID, Upload> uploads = new HashMap<>();
    int refused = 0;
    int committed = 0;
    try (StoreFixture fixture = limited(directory, 120, 4)) {
      for (int step = 0; step < 300; step++) {
        String target = "n" + random.nextInt(8);
        int size = random.nextInt(60);
        List<Upload> open = List.copyOf(uploads.values());
        Upload some = open.isEmpty() ? null : open.get(random.nextInt(open.size()));
        try {
          switch (random.nextInt(6)) {
            case 0 -> {
              Upload begun = fixture.store.begin(request(target));
              uploads.put(begun.session(), begun);
            }
            case 1 -> {
              fixture.put(sized(target, size), "x".repeat(size));
              committed++;
            }
            case 2 -> fixture.store.delete(name(target), Optional.empty());
            case 3 -> {
              if (some != null) {
                write(some.takeOver(), "y".repeat(size));
                await(some.sync());
              }
            }
            case 4 -> {
              if (some != null) {
                await(some.commit(some.received(), Optional.empty()));
                uploads.remove(some.session());
                committed++;
              }
            }
            default -> {
              if (some != null) {
                await(some.discard());
                uploads.remove(some.session());
              }
            }
          }
        } catch (ProtocolException e) {
          assertThat(e.code()).isIn(ErrorCode.NO_SPACE, ErrorCode.NOT_FOUND);
          refused += e.code() == ErrorCode.NO_SPACE ? 1 : 0;
          removeFailed(uploads);
        }
        StoreUse use = fixture.store.use();
        assertThat(use.usedBytes()).isBetween(0L, 120L);
        assertThat(use.usedFiles()).isBetween(0L, 4L);
        if (uploads.isEmpty()) {
          assertUse(fixture, walk(fixture.root).bytes, walk(fixture.root).files);
        }
      }
      for (Upload left : uploads.values()) {
        await(left.discard());
      }
      Walk found = walk(fixture.root);
      assertUse(fixture, found.bytes, found.files);
    }
    assertThat(refused).isGreaterThan(10);
    assertThat(committed).isGreaterThan(10);
  }

  private static void removeFailed(Map<UUID, Upload> uploads) throws Exception {
    for (Upload each : List.copyOf(uploads.values())) {
      if (each.failure().isPresent()) {
        await(each.discard());
        uploads.remove(each.session());
      }
    }
  }

  private record Walk(long bytes, long files) {}

  private static Walk walk(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      List<Path> files =
          all.filter(Files::isRegularFile)
              .filter(each -> !each.startsWith(root.resolve(StoreSettings.STAGING)))
              .toList();
      return new Walk(files.stream().mapToLong(QuotaTest::size).sum(), files.size());
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void assertUse(StoreFixture fixture, long bytes, long files) {
    assertThat(fixture.store.use())
        .isEqualTo(new StoreUse(bytes, fixture.maxBytes, files, fixture.maxFiles));
  }

  private static StoreFixture limited(Path directory, long bytes, long files) throws IOException {
    StoreFixture fixture = new StoreFixture(directory);
    fixture.maxBytes = bytes;
    fixture.maxFiles = files;
    fixture.restart();
    return fixture;
  }

  private static UploadRequest sized(String name, long size) {
    return new UploadRequest(
        UUID.randomUUID(),
        name(name),
        OptionalLong.of(size),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }
}
