package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.theseus.steps.Steps;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A store in a directory of its own, with a clock and kill points that the test holds. */
final class StoreFixture implements AutoCloseable {
  static final Duration KEEP = Duration.ofHours(24);
  static final Instant START = Instant.parse("2026-01-31T12:00:00Z");

  final Path root;
  final Path records;
  final HandClock clock = new HandClock();
  final List<String> passed = new CopyOnWriteArrayList<>();
  final ExecutorService disk = Executors.newFixedThreadPool(8);
  volatile Steps steps = Steps.NONE;
  long restBytes;
  long maxBytes;
  long maxFiles;
  boolean attributes = true;
  LiveSources live = LiveSources.NONE;
  FileStore store;

  StoreFixture(Path directory) throws IOException {
    this.root = directory.resolve("files");
    this.records = directory.resolve("records");
    this.store = open();
  }

  /** Time as the test says. */
  static final class HandClock extends Clock {
    private volatile Instant now = START;

    void advance(Duration by) {
      now = now.plus(by);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }

  private FileStore open() throws IOException {
    return FileStore.open(
        StoreSettings.of(root, records, restBytes, KEEP).limited(maxBytes, maxFiles),
        live,
        disk,
        clock,
        name -> {
          passed.add(name);
          steps.at(name);
        },
        attributes);
  }

  /** Closes the store as a process ends, and opens it again. */
  void restart(UUID... sessionsWithMarks) throws IOException {
    store.close();
    steps = Steps.NONE;
    store = open();
    store.removeLeftovers(Set.of(sessionsWithMarks));
  }

  Path staging() {
    return root.resolve(StoreSettings.STAGING);
  }

  Path part(UUID session) {
    return staging().resolve(session + ".part");
  }

  @Override
  public void close() throws IOException {
    store.close();
    disk.shutdown();
  }

  // ---- short forms

  static FileName name(String text) {
    return new FileName(text);
  }

  static UploadRequest request(String name) {
    return new UploadRequest(
        UUID.randomUUID(),
        name(name),
        OptionalLong.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  static UploadRequest request(String name, String ifIdentity) {
    return new UploadRequest(
        UUID.randomUUID(),
        name(name),
        OptionalLong.empty(),
        Optional.of(ifIdentity),
        Optional.empty(),
        Optional.empty());
  }

  /** Uploads and commits. */
  Completed put(UploadRequest request, String content) throws Exception {
    Upload upload = store.begin(request);
    write(upload.takeOver(), content);
    return await(upload.commit(content.length(), Optional.empty()));
  }

  Completed put(String name, String content) throws Exception {
    return put(request(name), content);
  }

  static boolean write(Upload.Writer writer, String content) {
    return writer.write(direct(content), () -> {});
  }

  static ByteBuffer direct(String content) {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  String read(String name) throws Exception {
    try (StoredFile file = store.openFile(name(name))) {
      return read(file);
    }
  }

  static String read(StoredFile file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) file.size());
    int n = 0;
    while (bytes.hasRemaining() && n >= 0) {
      n = file.read(bytes, bytes.position());
    }
    return new String(bytes.array(), StandardCharsets.UTF_8);
  }

  List<String> names() throws ProtocolException {
    return store.list("", Optional.empty(), 1 << 20).entries().stream()
        .map(entry -> entry.name().value())
        .toList();
  }

  static <T> T await(CompletionStage<T> stage) throws Exception {
    try {
      return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    } catch (TimeoutException e) {
      throw new AssertionError("nothing came within 20 s", e);
    }
  }

  /** The ERROR text of a call that has to be refused. */
  static String refusal(ThrowingCallable call) {
    Throwable thrown = catchThrowable(call);
    assertThat(thrown).isInstanceOf(ProtocolException.class);
    return ((ProtocolException) thrown).errorText();
  }

  static String sha256(String content) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(content.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor()).as("%s", List.of(command)).isZero();
  }

  static void deleteAll(Path directory) throws IOException {
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes found)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, IOException failed)
              throws IOException {
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
