package io.theseus.store;

import static io.theseus.store.StoreFixture.await;
import static io.theseus.store.StoreFixture.direct;
import static io.theseus.store.StoreFixture.name;
import static io.theseus.store.StoreFixture.refusal;
import static io.theseus.store.StoreFixture.request;
import static io.theseus.store.StoreFixture.sha256;
import static io.theseus.store.StoreFixture.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.wire.FileName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One upload: order, hash, durability, fencing, taking up again. */
@Timeout(60)
class UploadTest {
  private StoreFixture fixture;

  @BeforeEach
  void open(@TempDir Path directory) throws IOException {
    fixture = new StoreFixture(directory);
  }

  @AfterEach
  void close() throws IOException {
    fixture.close();
  }

  // ---- random splits against a reference

  private enum Act {
    WRITE,
    WRITE_CHANGED,
    SYNC,
    SUSPEND,
    TAKE_OVER,
    RESTART
  }

  @Provide
  Arbitrary<List<Tuple2<Act, Integer>>> acts() {
    Arbitrary<Act> act =
        Arbitraries.frequency(
            Tuple.of(12, Act.WRITE),
            Tuple.of(3, Act.WRITE_CHANGED),
            Tuple.of(3, Act.SYNC),
            Tuple.of(1, Act.SUSPEND),
            Tuple.of(1, Act.TAKE_OVER),
            Tuple.of(1, Act.RESTART));
    Arbitrary<Integer> size =
        Arbitraries.oneOf(
            Arbitraries.integers().between(1, 100),
            Arbitraries.integers().between(1, 300_000),
            Arbitraries.of(BlockSums.BLOCK_BYTES, BlockSums.BLOCK_BYTES - 1, 3_000_000));
    return net.jqwik.api.Combinators.combine(act, size).as(Tuple::of).list().ofMaxSize(25);
  }

  @Property(tries = 60)
  void shouldStoreWhatWasWrittenHoweverItIsSplit(@ForAll("acts") List<Tuple2<Act, Integer>> acts)
      throws Exception {
    Path directory = Files.createTempDirectory("upload");
    try (StoreFixture store = new StoreFixture(directory)) {
      UploadRequest request = request("d/f");
      Upload upload = store.store.begin(request);
      Upload.Writer writer = upload.takeOver();
      long accepted = 0;
      AtomicInteger released = new AtomicInteger();
      int buffers = 0;
      ByteArrayOutputStream received = new ByteArrayOutputStream();
      ByteArrayOutputStream stored = new ByteArrayOutputStream();
      boolean changed = false;
      boolean restarted = false;
      boolean lost = false;
      for (Tuple2<Act, Integer> act : acts) {
        switch (act.get1()) {
          case WRITE -> {
            byte[] bytes = content(accepted, act.get2());
            assertThat(writer.write(buffer(bytes), released::incrementAndGet)).isTrue();
            received.writeBytes(bytes);
            stored.writeBytes(bytes);
            accepted += act.get2();
            buffers++;
            assertThat(upload.received()).isEqualTo(accepted);
          }
          case WRITE_CHANGED -> {
            byte[] bytes = content(accepted, act.get2());
            byte[] instead = content(accepted + 1, act.get2());
            assertThat(writer.write(buffer(instead), buffer(bytes), released::incrementAndGet))
                .isTrue();
            received.writeBytes(bytes);
            stored.writeBytes(instead);
            changed = true;
            accepted += act.get2();
            buffers++;
            assertThat(upload.received()).isEqualTo(accepted);
          }
          case SYNC -> {
            long before = upload.durable();
            long durable = await(upload.sync());
            assertThat(durable).isEqualTo(accepted).isGreaterThanOrEqualTo(before);
            assertThat(upload.durable()).isEqualTo(durable);
            assertThat(Files.size(store.part(request.session()))).isEqualTo(accepted);
          }
          case SUSPEND -> upload.suspend();
          case TAKE_OVER -> {
            Upload.Writer old = writer;
            writer = upload.takeOver();
            assertThat(old.isStale()).isTrue();
          }
          case RESTART -> {
            accepted = await(upload.sync());
            store.restart(request.session());
            upload = store.store.reopen(request, accepted, changed);
            restarted = true;
            lost |= changed;
            writer = upload.takeOver();
            assertThat(upload.durable()).isEqualTo(accepted);
            assertThat(upload.received()).isEqualTo(accepted);
          }
        }
      }
      Completed completed = await(upload.commit(accepted, Optional.empty()));

      byte[] expected = stored.toByteArray();
      assertThat(Files.readAllBytes(store.root.resolve("d/f"))).isEqualTo(expected);
      String sha = hash(received.toByteArray());
      if (lost) {
        assertThat(completed.sha256()).isEmpty();
      } else if (restarted && changed) { // it may have come while the part was read again
        assertThat(completed.sha256()).isIn(Optional.empty(), Optional.of(sha));
      } else {
        assertThat(completed.sha256()).contains(sha);
      }
      assertThat(store.store.stat(name("d/f")).sha256()).contains(hash(expected));
      assertThat(store.store.completed(request.session(), name("d/f"))).contains(completed);
      assertThat(upload.blockSums()).isEqualTo(sums(expected));
      assertThat(upload.durable()).isEqualTo(accepted);
      assertThat(Files.exists(store.part(request.session()))).isFalse();
      assertThat(store.store.reservedBytes()).isZero();
      int all = buffers;
      Awaitility.await().untilAsserted(() -> assertThat(released).hasValue(all));
    } finally {
      StoreFixture.deleteAll(directory);
    }
  }

  private static String hash(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  private static byte[] content(long offset, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      long at = offset + i;
      bytes[i] = (byte) (at * 31 + (at >> 8) * 7 + (at >> 16));
    }
    return bytes;
  }

  private static int[] sums(byte[] bytes) {
    int[] sums = new int[(bytes.length + BlockSums.BLOCK_BYTES - 1) / BlockSums.BLOCK_BYTES];
    for (int i = 0; i < sums.length; i++) {
      CRC32C crc = new CRC32C();
      int at = i * BlockSums.BLOCK_BYTES;
      crc.update(bytes, at, Math.min(BlockSums.BLOCK_BYTES, bytes.length - at));
      sums[i] = (int) crc.getValue();
    }
    return sums;
  }

  // ---- fencing

  @Test
  void shouldDropAndReleaseWhatAnOlderWriterSends() throws Exception {
    Upload upload = fixture.store.begin(request("f"));
    Upload.Writer old = upload.takeOver();
    assertThat(write(old, "kept ")).isTrue();
    Upload.Writer fresh = upload.takeOver();
    AtomicInteger released = new AtomicInteger();

    assertThat(old.write(direct("never"), released::incrementAndGet)).isFalse();
    assertThat(released).hasValue(1);
    assertThat(old.isStale()).isTrue();
    assertThat(fresh.isStale()).isFalse();
    assertThat(write(fresh, "and this")).isTrue();
    assertThat(upload.received()).isEqualTo(13);
    await(upload.commit(13, Optional.empty()));

    assertThat(fixture.read("f")).isEqualTo("kept and this");
    assertThat(fresh.write(direct("late"), released::incrementAndGet)).isFalse();
    assertThat(released).hasValue(2);
    assertThat(fixture.read("f")).isEqualTo("kept and this");
  }

  @Test
  void shouldRefuseASecondUploadOfOneSession() throws Exception {
    UploadRequest request = request("f");
    fixture.store.begin(request);

    assertThat(refusal(() -> fixture.store.begin(request)))
        .isEqualTo(
            "busy: session "
                + request.session()
                + " has an upload here (expected: one upload for each session)");
    assertThat(refusal(() -> fixture.store.reopen(request, 0, /* altered= */ false)))
        .startsWith("busy: ");
  }

  @Test
  void shouldRefuseABufferOnTheHeap() throws Exception {
    Upload.Writer writer = fixture.store.begin(request("f")).takeOver();
    assertThatThrownBy(() -> writer.write(ByteBuffer.allocate(1), () -> {}))
        .hasMessage("buffer: on the heap (expected: a direct one)");
  }

  // ---- durability

  /** A buffer is not given back before it is written: the kernel would read what comes next. */
  @Test
  void shouldHoldBuffersUntilTheyAreWritten() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch there = new CountDownLatch(1);
    fixture.steps =
        step -> {
          if (step.equals("put.written")) {
            there.countDown();
            uninterruptibly(go);
          }
        };
    Upload upload = fixture.store.begin(request("f"));
    Upload.Writer writer = upload.takeOver();
    AtomicInteger released = new AtomicInteger();
    writer.write(direct("one"), released::incrementAndGet);
    there.await();
    writer.write(direct("two"), released::incrementAndGet);
    CompletionStage<Long> sync = upload.sync();

    assertThat(released).hasValue(0);
    assertThat(sync.toCompletableFuture()).isNotDone();
    assertThat(upload.durable()).isZero();
    go.countDown();
    assertThat(await(sync)).isEqualTo(6);
    Awaitility.await().untilAsserted(() -> assertThat(released).hasValue(2));
  }

  @Test
  void shouldAnswerAllWhoWaitByOneSync() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch there = new CountDownLatch(1);
    fixture.steps =
        step -> {
          if (step.equals("put.synced") && there.getCount() > 0) {
            there.countDown();
            uninterruptibly(go);
          }
        };
    Upload upload = fixture.store.begin(request("f"));
    Upload.Writer writer = upload.takeOver();
    write(writer, "x");
    List<CompletionStage<Long>> syncs = new ArrayList<>();
    syncs.add(upload.sync());
    there.await();
    for (int i = 0; i < 10; i++) {
      write(writer, "x");
      syncs.add(upload.sync());
    }
    // writes go on beside the sync that stands still
    Awaitility.await().until(() -> Files.size(fixture.part(upload.session())) == 11);
    go.countDown();
    for (int i = 0; i < syncs.size(); i++) {
      assertThat(await(syncs.get(i))).isGreaterThanOrEqualTo(i + 1L);
    }
    assertThat(fixture.passed.stream().filter("put.synced"::equals).count()).isEqualTo(2);
  }

  @Test
  void shouldPassTheKillPointsInOrder() throws Exception {
    Upload upload = fixture.store.begin(request("f"));
    write(upload.takeOver(), "content");
    await(upload.sync());
    await(upload.commit(7, Optional.empty()));
    fixture.put("f", "replaced");

    assertThat(fixture.passed)
        .containsExactly(
            "put.part-created",
            "put.written",
            "put.synced",
            "commit.decided",
            "commit.attributes",
            "commit.file-synced",
            "commit.renamed",
            "commit.directory-synced",
            "put.part-created",
            "put.written",
            "commit.decided",
            "commit.attributes",
            "commit.file-synced",
            "record.persisted",
            "commit.renamed",
            "commit.directory-synced");
  }

  // ---- commit of an upload

  @Test
  void shouldShowNothingWhereTheHashIsWrong() throws Exception {
    fixture.put("f", "old");
    Upload upload = fixture.store.begin(request("f"));
    write(upload.takeOver(), "new");
    String wrong = "0".repeat(64);

    String expected =
        "bad-field: SHA-256: "
            + wrong
            + " (expected: "
            + sha256("new")
            + ", which is that of the bytes received)";
    assertThat(refusal(() -> await(upload.commit(3, Optional.of(wrong))))).isEqualTo(expected);
    assertThat(refusal(() -> await(upload.commit(3, Optional.empty())))).isEqualTo(expected);
    assertThat(upload.failure().orElseThrow().errorText()).isEqualTo(expected);
    assertThat(refusal(() -> await(upload.sync()))).isEqualTo(expected);
    assertThat(fixture.read("f")).isEqualTo("old");

    await(upload.discard());
    assertThat(Files.exists(fixture.part(upload.session()))).isFalse();
    assertThat(fixture.store.completed(upload.session(), upload.name())).isEmpty();
  }

  @Test
  void shouldCheckTheHashOfTheRequestToo() throws Exception {
    UploadRequest request =
        new UploadRequest(
            UUID.randomUUID(),
            new FileName("f"),
            OptionalLong.of(3),
            Optional.empty(),
            Optional.of(sha256("new").toUpperCase(java.util.Locale.ROOT)),
            Optional.empty());
    Upload good = fixture.store.begin(request);
    write(good.takeOver(), "new");
    assertThat(await(good.commit(3, Optional.empty())).sha256()).contains(sha256("new"));

    UploadRequest other =
        new UploadRequest(
            UUID.randomUUID(),
            new FileName("g"),
            OptionalLong.of(3),
            Optional.empty(),
            request.expectedSha256(),
            Optional.empty());
    Upload bad = fixture.store.begin(other);
    write(bad.takeOver(), "bad");
    assertThat(refusal(() -> await(bad.commit(3, Optional.empty())))).startsWith("bad-field: ");
    assertThat(fixture.names()).containsExactly("f");
  }

  @Test
  void shouldRefuseASizeThatWasNotReceivedAndGoOn() throws Exception {
    Upload upload = fixture.store.begin(request("f"));
    write(upload.takeOver(), "abc");

    assertThat(refusal(() -> await(upload.commit(4, Optional.empty()))))
        .isEqualTo("bad-offset: Size: 4 (expected: 3, which is what was received)");
    Completed first = await(upload.commit(3, Optional.empty()));
    assertThat(await(upload.commit(3, Optional.empty()))).isEqualTo(first);
    assertThat(refusal(() -> await(upload.commit(2, Optional.empty()))))
        .isEqualTo("bad-offset: Size: 2 (expected: 3, which is what was received)");
  }

  @Test
  void shouldCommitAnEmptyFile() throws Exception {
    assertThat(fixture.put("empty", "").sha256()).contains(sha256(""));
    assertThat(fixture.read("empty")).isEmpty();
  }

  // ---- loss of connections and processes

  @Test
  void shouldHoldNoDescriptorWhileSuspended() throws Exception {
    Upload upload = fixture.store.begin(request("f"));
    write(upload.takeOver(), "abc");
    await(upload.sync());
    Path part = fixture.part(upload.session());
    assertThat(openDescriptors(part)).isEqualTo(1);

    upload.suspend();
    Awaitility.await().until(() -> openDescriptors(part) == 0);
    assertThat(write(upload.takeOver(), "def")).isTrue();
    await(upload.commit(6, Optional.empty()));
    assertThat(fixture.read("f")).isEqualTo("abcdef");
    Awaitility.await().until(() -> openDescriptors(fixture.root.resolve("f")) == 0);
  }

  private static long openDescriptors(Path file) throws IOException {
    Path real = file.toRealPath();
    try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors
          .filter(
              fd -> {
                try {
                  return fd.toRealPath().equals(real);
                } catch (IOException e) {
                  return false;
                }
              })
          .count();
    }
  }

  @Test
  void shouldCutWhatWasNotAcknowledgedAndHashTheRestAgain() throws Exception {
    UploadRequest request = request("f");
    Upload before = fixture.store.begin(request);
    write(before.takeOver(), "acknowledged, and not");
    await(before.sync());
    fixture.restart(request.session());

    Upload upload = fixture.store.reopen(request, 12, /* altered= */ false);
    assertThat(Files.size(fixture.part(request.session()))).isEqualTo(12);
    assertThat(upload.received()).isEqualTo(12);
    write(upload.takeOver(), " and this");
    Completed completed = await(upload.commit(21, Optional.empty()));

    assertThat(completed.sha256()).contains(sha256("acknowledged and this"));
    assertThat(fixture.read("f")).isEqualTo("acknowledged and this");
  }

  /** The hash of a long part is made again beside the transfer, whose buffers don't wait for it. */
  @Test
  void shouldGiveBuffersBackWhileTheStagedPartIsHashedAgain() throws Exception {
    UploadRequest request = request("f");
    byte[] first = new byte[40 << 20];
    new Random(1).nextBytes(first);
    Upload before = fixture.store.begin(request);
    before.takeOver().write(ByteBuffer.allocateDirect(first.length).put(first).flip(), () -> {});
    await(before.sync());
    fixture.restart(request.session());

    Upload upload = fixture.store.reopen(request, first.length, /* altered= */ false);
    Upload.Writer writer = upload.takeOver();
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    sha.update(first);
    AtomicInteger released = new AtomicInteger();
    byte[] piece = new byte[100_000];
    for (int i = 0; i < 100; i++) {
      new Random(i).nextBytes(piece);
      sha.update(piece);
      writer.write(
          ByteBuffer.allocateDirect(piece.length).put(piece).flip(), released::incrementAndGet);
    }
    Completed completed = await(upload.commit(first.length + 10_000_000, Optional.empty()));
    assertThat(completed.sha256()).contains(HexFormat.of().formatHex(sha.digest()));
    Awaitility.await().untilAsserted(() -> assertThat(released).hasValue(100));
  }

  @Test
  void shouldReportALossByName() throws Exception {
    UploadRequest request = request("f");
    Upload before = fixture.store.begin(request);
    write(before.takeOver(), "abc");
    await(before.sync());
    fixture.restart(request.session());

    assertThat(refusal(() -> fixture.store.reopen(request, 4, /* altered= */ false)))
        .isEqualTo(
            "internal: \"f\" session "
                + request.session()
                + " lost acknowledged bytes: 3 are staged (expected: >= 4)");
    Files.delete(fixture.part(request.session()));
    assertThat(refusal(() -> fixture.store.reopen(request, 3, /* altered= */ false)))
        .isEqualTo(
            "internal: \"f\" session "
                + request.session()
                + " lost acknowledged bytes: its part is gone (expected: >= 3)");
    assertThat(fixture.store.reservedBytes()).isZero();
  }

  @Test
  void shouldRemoveWhatNobodyWasPromised() throws Exception {
    UploadRequest kept = request("kept");
    UploadRequest dropped = request("dropped");
    Upload a = fixture.store.begin(kept);
    write(a.takeOver(), "abc");
    await(a.sync());
    Upload b = fixture.store.begin(dropped);
    write(b.takeOver(), "abc");
    await(b.sync());
    Files.createDirectory(fixture.staging().resolve("left.folder"));

    fixture.store.close();
    fixture.store =
        FileStore.open(
            StoreSettings.of(fixture.root, fixture.records, 0, StoreFixture.KEEP),
            fixture.disk,
            fixture.clock,
            name -> {});
    assertThat(fixture.store.removeLeftovers(java.util.Set.of(kept.session())))
        .containsExactlyInAnyOrder(dropped.session() + ".part", "left.folder");
    assertThat(Files.exists(fixture.part(kept.session()))).isTrue();
    assertThat(Files.exists(fixture.part(dropped.session()))).isFalse();
  }

  @Test
  void shouldDiscard() throws Exception {
    Upload upload = fixture.store.begin(request("f"));
    Upload.Writer writer = upload.takeOver();
    AtomicInteger released = new AtomicInteger();
    for (int i = 0; i < 50; i++) {
      writer.write(direct("some bytes"), released::incrementAndGet);
    }
    await(upload.discard());
    await(upload.discard());

    assertThat(Files.exists(fixture.part(upload.session()))).isFalse();
    assertThat(refusal(() -> await(upload.sync())))
        .isEqualTo("internal: \"f\" was given up (expected: a new upload)");
    assertThat(writer.write(direct("x"), released::incrementAndGet)).isFalse();
    Awaitility.await().untilAsserted(() -> assertThat(released).hasValue(51));
    // the session may begin again
    await(fixture.store.begin(upload.request()).commit(0, Optional.empty()));
  }

  /** What breaks inside a lane ends that upload, in words, and no other. */
  @Test
  void shouldEndTheUploadWhereALaneBreaks() throws Exception {
    Upload other = fixture.store.begin(request("g"));
    Upload upload = fixture.store.begin(request("f"));
    fixture.steps =
        step -> {
          if (step.equals("put.written")) {
            throw new IllegalStateException("broken");
          }
        };
    AtomicInteger released = new AtomicInteger();
    Upload.Writer writer = upload.takeOver();
    writer.write(direct("abc"), released::incrementAndGet);
    writer.write(direct("abc"), released::incrementAndGet);

    assertThat(refusal(() -> await(upload.commit(6, Optional.empty()))))
        .isEqualTo("internal: \"f\": java.lang.IllegalStateException: broken");
    Awaitility.await().untilAsserted(() -> assertThat(released).hasValue(2));
    fixture.steps = io.theseus.steps.Steps.NONE;
    write(other.takeOver(), "fine");
    await(other.commit(4, Optional.empty()));
    assertThat(fixture.names()).containsExactly("g");
  }

  @Test
  void shouldEndUploadsInWordsWhenTheExecutorIsGone() throws Exception {
    Upload upload = fixture.store.begin(request("f"));
    Upload.Writer writer = upload.takeOver();
    fixture.disk.shutdown();
    AtomicInteger released = new AtomicInteger();

    writer.write(direct("abc"), released::incrementAndGet);
    Awaitility.await().untilAsserted(() -> assertThat(released).hasValue(1));
    assertThat(refusal(() -> await(upload.sync())))
        .isEqualTo("internal: \"f\": the upload was let go (expected: to be taken up again)");
  }

  private static void uninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  // ---- a commit in two halves

  @Test
  void shouldShowNothingBeforeItIsPublished() throws Exception {
    UploadRequest request = request("d/f");
    Upload upload = fixture.store.begin(request);
    Upload.Writer writer = upload.takeOver();
    write(writer, "content");
    Completed sealed = await(upload.seal(7, Optional.empty(), "0000000000000017@node1"));
    assertThat(upload.durable()).isEqualTo(7);
    assertThat(fixture.names()).isEmpty();
    assertThat(write(writer, "more")).as("nothing is taken any more").isFalse();
    assertThat(await(upload.seal(7, Optional.empty(), "0000000000000017@node1"))).isEqualTo(sealed);
    assertThat(upload.storedSha256()).isEqualTo(sha256("content"));

    assertThat(await(upload.publish())).isEqualTo(sealed);
    assertThat(await(upload.publish())).isEqualTo(sealed);
    assertThat(fixture.read("d/f")).isEqualTo("content");
    Attribute attribute =
        Facts.of(
                Files.readAttributes(
                    fixture.root.resolve("d/f"), java.nio.file.attribute.BasicFileAttributes.class),
                fixture.root.resolve("d/f"))
            .attribute()
            .orElseThrow();
    assertThat(attribute.version()).contains("0000000000000017@node1");
    assertThat(attribute.session()).isEqualTo(request.session());
  }

  @Test
  void shouldLeaveNothingOfWhatIsGivenUpBetweenTheHalves() throws Exception {
    UploadRequest request = request("f");
    Upload upload = fixture.store.begin(request);
    write(upload.takeOver(), "content");
    await(upload.seal(7, Optional.empty(), "0000000000000017@node1"));
    await(upload.discard());
    assertThat(fixture.part(request.session())).doesNotExist();
    assertThat(fixture.names()).isEmpty();
    assertThat(refusal(() -> await(upload.publish()))).startsWith("internal: ");
  }

  @Test
  void shouldNotPublishWhatIsNotSealed() throws Exception {
    Upload upload = fixture.store.begin(request("f"));
    assertThatThrownBy(upload::publish)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is not sealed");
  }

  @Test
  void shouldSealACopyByWhatItsOwnerSays() throws Exception {
    Upload good = fixture.store.begin(request("good"));
    write(good.takeOver(), "stored");
    Completed sealed =
        await(
            good.sealCopy(
                6, sha256("stored"), Optional.of(sha256("sent")), 0, "0000000000000017@node1"));
    assertThat(sealed.sha256()).contains(sha256("sent"));
    await(good.publish());

    Upload bad = fixture.store.begin(request("bad"));
    write(bad.takeOver(), "rotten");
    assertThat(
            refusal(
                () ->
                    await(
                        bad.sealCopy(
                            6, sha256("stored"), Optional.empty(), 0, "0000000000000017@node1"))))
        .startsWith("bad-field: SHA-256: " + sha256("stored"));
    assertThat(fixture.names()).containsExactly("good");
  }

  @Test
  void shouldSealACopyBySumsAlone() throws Exception {
    CRC32C crc = new CRC32C();
    crc.update("stored".getBytes(StandardCharsets.UTF_8));
    int sum = (int) crc.getValue();
    Upload good = fixture.store.begin(summed("good"));
    write(good.takeOver(), "stored");
    await(good.sealCopy(6, sha256("stored"), Optional.empty(), sum, "0000000000000017@node1"));
    await(good.publish());
    assertThat(fixture.store.stat(name("good")).sha256()).contains(sha256("stored"));

    Upload bad = fixture.store.begin(summed("bad"));
    write(bad.takeOver(), "rotten");
    assertThat(
            refusal(
                () ->
                    await(
                        bad.sealCopy(
                            6, sha256("stored"), Optional.empty(), sum, "0000000000000017@node1"))))
        .isEqualTo("internal: \"bad\": the last block has another CRC32C than where it came from");
    assertThat(fixture.names()).containsExactly("good");
  }

  private static UploadRequest summed(String name) {
    UploadRequest usual = request(name);
    return new UploadRequest(
        usual.session(),
        usual.name(),
        usual.size(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        UploadRequest.Hashing.SUMS);
  }

  @Test
  void shouldLetGoSoThatItCanBeReopened() throws Exception {
    UploadRequest request = request("f");
    Upload upload = fixture.store.begin(request);
    write(upload.takeOver(), "content");
    await(upload.sync());
    upload.letGo();
    Upload again = fixture.store.reopen(request, 4, /* altered= */ false);
    write(again.takeOver(), "inued");
    await(again.commit(9, Optional.empty()));
    assertThat(fixture.read("f")).isEqualTo("continued");
  }

  // ---- being copied

  @Test
  void shouldTellWhoCopiesOfWhatIsThereAndItsSums() throws Exception {
    Upload upload = fixture.store.begin(request("f"));
    Upload.Writer writer = upload.takeOver();
    byte[] bytes = content(0, BlockSums.BLOCK_BYTES + 10);
    AtomicInteger told = new AtomicInteger();
    try (Source source = upload.source()) {
      source.onChange(told::incrementAndGet);
      assertThat(told).as("what came before is not told again").hasValue(1);
      assertThat(source.available()).isZero();
      writer.write(buffer(bytes), () -> {});
      Awaitility.await().until(() -> source.available() == bytes.length && source.summed() == 1);
      assertThat(told).hasValueGreaterThan(1);
      assertThat(source.sums(0, 1)).containsExactly(sums(bytes)[0]);
      assertThatThrownBy(() -> source.sums(0, 2)).isInstanceOf(IndexOutOfBoundsException.class);
      await(upload.commit(bytes.length, Optional.empty()));
      ByteBuffer read = ByteBuffer.allocate(bytes.length);
      while (read.hasRemaining() && source.channel().read(read, read.position()) >= 0) {
        assertThat(source.failure()).isEmpty();
      }
      assertThat(read.array()).as("after the rename, too").isEqualTo(bytes);
    }
    assertThat(refusal(upload::source)).startsWith("internal: ");
  }
}
