package io.theseus.repair;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.os.Native;
import io.theseus.steps.Steps;
import io.theseus.store.FileStore;
import io.theseus.store.StoreSettings;
import io.theseus.store.Upload;
import io.theseus.store.UploadRequest;
import io.theseus.store.VersionClock;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The files of a node, which came two hours ago. */
final class RepairStore implements AutoCloseable {
  static final Duration AGE = Duration.ofHours(2);

  final Path root;
  final ExecutorService disk = Executors.newFixedThreadPool(4);
  final FileStore store;
  final VersionClock clock;

  RepairStore(Path directory) throws IOException {
    Clock then = Clock.offset(Clock.systemUTC(), AGE.negated());
    this.root = directory.resolve("files");
    this.store =
        FileStore.open(
            StoreSettings.of(root, directory.resolve("records"), 0, Duration.ofHours(1)),
            disk,
            then,
            Steps.NONE);
    this.clock = new VersionClock("node2", then);
  }

  /** Stores a file; gives its version. */
  String put(String name, String content) throws Exception {
    return put(name, content, clock.next());
  }

  String put(String name, String content, String version) throws Exception {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    Upload upload =
        store.begin(
            new UploadRequest(
                UUID.randomUUID(),
                FileName.parse(name),
                OptionalLong.of(bytes.length),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()));
    assertThat(
            upload
                .takeOver()
                .write(ByteBuffer.allocateDirect(bytes.length).put(bytes).flip(), () -> {}))
        .isTrue();
    var sealed =
        upload
            .seal(bytes.length, Optional.empty(), version)
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS);
    var named = upload.publish().toCompletableFuture().get(20, TimeUnit.SECONDS);
    assertThat(named.session()).isEqualTo(sealed.session());
    return version;
  }

  /** The disk changes the first byte; it says nothing, and nothing else of the file changes. */
  void rot(String name) throws IOException {
    Path file = root.resolve(name);
    Instant modified = Files.getLastModifiedTime(file).toInstant();
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, 0);
      channel.write(one.put(0, (byte) (one.get(0) ^ 0x10)).flip(), 0);
      assertThat(Native.setModified(channel, modified)).isTrue();
    }
  }

  @Override
  public void close() throws IOException {
    store.close();
    disk.shutdown();
  }
}
