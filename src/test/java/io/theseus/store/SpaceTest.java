package io.theseus.store;

import static io.theseus.store.StoreFixture.await;
import static io.theseus.store.StoreFixture.name;
import static io.theseus.store.StoreFixture.refusal;
import static io.theseus.store.StoreFixture.request;
import static io.theseus.store.StoreFixture.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.testing.SmallDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Faults row 8: reservations, and a file system that is really full. */
@Timeout(60)
class SpaceTest {
  @Test
  void shouldPromiseNoMoreThanThereIs() throws Exception {
    AtomicLong usable = new AtomicLong(1000);
    Space space = new Space(usable::get, 100);
    Space.Reservation a = space.reserve(name("a"), 600);

    assertThat(refusal(() -> space.reserve(name("b"), 301)))
        .isEqualTo(
            "no-space: \"b\" needs 301 bytes (expected: <= 300, which is what uploads may still"
                + " use; 100 stay free)");
    Space.Reservation b = space.reserve(name("b"), 300);
    assertThat(space.reserved()).isEqualTo(900);

    // what is written is counted by the disk, not twice
    a.cover(500);
    usable.addAndGet(-500);
    a.used(500);
    assertThat(space.reserved()).isEqualTo(400);
    assertThat(refusal(() -> space.reserve(name("c"), 1))).startsWith("no-space: \"c\" needs 1 ");
    b.close();
    b.close();
    space.reserve(name("c"), 300).close();
    a.close();
    assertThat(space.reserved()).isZero();
  }

  @Test
  void shouldReserveAsAnUploadOfUnknownSizeGrows() throws Exception {
    AtomicLong usable = new AtomicLong(50L << 20);
    Space space = new Space(usable::get, 10L << 20);
    Space.Reservation a = space.reserve(name("a"), 0);
    assertThat(space.reserved()).isZero();
    a.cover(1);
    assertThat(space.reserved()).isEqualTo(16L << 20);
    a.cover(1000);
    assertThat(space.reserved()).isEqualTo(16L << 20);
    a.cover(40L << 20);
    assertThat(space.reserved()).isEqualTo(40L << 20);
    assertThat(refusal(() -> a.cover((40L << 20) + 1))).startsWith("no-space: \"a\" needs 1 bytes");
    a.close();
    usable.set(5);
    assertThat(refusal(() -> space.reserve(name("b"), 0).cover(1)))
        .isEqualTo(
            "no-space: \"b\" needs 1 bytes (expected: <= 0, which is what uploads may still use;"
                + " 10485760 stay free)");
  }

  @Test
  void shouldRefuseAPutThatWouldNotLeaveTheRest(@TempDir Path directory) throws Exception {
    try (StoreFixture fixture = new StoreFixture(directory)) {
      fixture.restBytes = Long.MAX_VALUE / 2;
      fixture.restart();
      assertThat(refusal(() -> fixture.store.begin(sized("f", 1))))
          .startsWith("no-space: \"f\" needs 1 bytes (expected: <= 0");
      Upload unknown = fixture.store.begin(request("g"));
      write(unknown.takeOver(), "x");
      assertThat(refusal(() -> await(unknown.sync()))).startsWith("no-space: \"g\" needs 1 bytes");
      assertThat(fixture.names()).isEmpty();
      assertThat(fixture.store.reservedBytes()).isZero();
    }
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

  @Test
  void shouldSayThatTheDiskIsFullAndGoOnWhenThereIsSpaceAgain(@TempDir Path directory)
      throws Exception {
    try (SmallDisk small = SmallDisk.tmpfs(directory, "size=4m");
        StoreFixture fixture = new StoreFixture(small.path())) {
      fixture.put("old", "kept");
      UploadRequest request = request("old");
      Upload upload = fixture.store.begin(request);
      Upload.Writer writer = upload.takeOver();
      write(writer, "acknowledged");
      await(upload.sync());
      // somebody else takes the space that was there a moment ago
      Path other = directory.resolve("other");
      try (var out = Files.newOutputStream(other)) {
        byte[] block = new byte[64 << 10];
        while (true) {
          out.write(block);
        }
      } catch (IOException e) {
        assertThat(e).hasMessageContaining("No space left");
      }
      AtomicInteger released = new AtomicInteger();
      for (int i = 0; i < 20; i++) {
        writer.write(ByteBuffer.allocateDirect(100_000), released::incrementAndGet);
      }

      String refusal = refusal(() -> await(upload.sync()));
      assertThat(refusal).startsWith("no-space: \"old\"");
      assertThat(refusal(() -> await(upload.commit(upload.received(), Optional.empty()))))
          .isEqualTo(refusal);
      Awaitility.await().untilAsserted(() -> assertThat(released).hasValue(20));
      assertThat(upload.durable()).isEqualTo(12);
      assertThat(fixture.read("old")).isEqualTo("kept");
      assertThat(fixture.store.failure()).isEmpty();

      Files.delete(other);
      Upload again = fixture.store.reopen(request, 12, /* altered= */ false);
      write(again.takeOver(), ", and on");
      await(again.commit(20, Optional.empty()));
      assertThat(fixture.read("old")).isEqualTo("acknowledged, and on");
    }
  }

  @Test
  void shouldSayThatThereAreNoInodes(@TempDir Path directory) throws Exception {
    try (SmallDisk small = SmallDisk.tmpfs(directory, "size=4m,nr_inodes=12");
        StoreFixture fixture = new StoreFixture(small.path())) {
      fixture.put("old", "kept");
      for (int i = 0; i < 12; i++) {
        try {
          Files.createFile(directory.resolve("other" + i));
        } catch (IOException e) {
          break;
        }
      }
      assertThat(refusal(() -> fixture.store.begin(request("f"))))
          .isEqualTo(
              "no-space: \"f\": staging failed: No space left on device (expected: free space, free inodes, and quota for both)");
      assertThat(fixture.read("old")).isEqualTo("kept");
      assertThat(fixture.names()).containsExactly("old");

      Files.delete(directory.resolve("other0"));
      fixture.put("f", "x");
    }
  }

  /** A mount that has writers can't be made read-only, so the kernel's words stand in for it. */
  @Test
  void shouldSayWhatTheSystemSaid() {
    assertThat(
            Refusals.io(
                    name("f"),
                    "staging",
                    new FileSystemException("/secret/path", null, "Read-only file system"))
                .errorText())
        .isEqualTo(
            "internal: \"f\": staging failed: Read-only file system (expected: a disk that can be read and written)");
    assertThat(
            Refusals.io(name("f"), "opening", new AccessDeniedException("/secret/path"))
                .errorText())
        .isEqualTo(
            "denied: \"f\": opening failed: permission denied (expected: the node's user may do that)");
    assertThat(Refusals.io(name("f"), "write", new IOException("Disk quota exceeded")).errorText())
        .isEqualTo(
            "no-space: \"f\": write failed: Disk quota exceeded (expected: free space, free inodes, and quota for both)");
  }
}
