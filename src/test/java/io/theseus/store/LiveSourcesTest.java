package io.theseus.store;

import static io.theseus.store.StoreFixture.name;
import static io.theseus.store.StoreFixture.refusal;
import static io.theseus.store.StoreFixture.request;
import static io.theseus.store.StoreFixture.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** FIFOs and commands as sources. */
@Timeout(60)
class LiveSourcesTest {
  private Path directory;

  @BeforeEach
  void open(@TempDir Path temporary) {
    directory = temporary;
  }

  private static LiveWindow command(int window, String script) throws ProtocolException {
    LiveSources sources =
        new LiveSources(
            Map.of(name("live"), new LiveSource.Command(List.of("bash", "-c", script))), window);
    return (LiveWindow) sources.open(name("live"), true).orElseThrow();
  }

  private static String text(LiveStream stream, long from, int most) {
    ByteBuffer into = ByteBuffer.allocate(most);
    int n = stream.read(from, into);
    assertThat(into.position()).isEqualTo(n);
    return new String(into.array(), 0, n, StandardCharsets.UTF_8);
  }

  @Test
  void shouldGiveACommandsOutputAndItsSize() throws Exception {
    try (LiveWindow stream = command(1 << 20, "printf 'hello '; printf world")) {
      Awaitility.await().until(() -> stream.size().isPresent());
      assertThat(stream.size()).isEqualTo(OptionalLong.of(11));
      assertThat(stream.failure()).isEmpty();
      assertThat(text(stream, 0, 100)).isEqualTo("hello world");
      assertThat(text(stream, 6, 3)).isEqualTo("wor");
      assertThat(text(stream, 11, 3)).isEmpty();
      stream.release(6);
      assertThat(stream.base()).isEqualTo(6);
      assertThatThrownBy(() -> stream.read(5, ByteBuffer.allocate(1)))
          .hasMessage("offset: 5 (expected: 6 to 11)");
      assertThatThrownBy(() -> stream.read(12, ByteBuffer.allocate(1)))
          .hasMessage("offset: 12 (expected: 6 to 11)");
      assertThatThrownBy(() -> stream.release(12)).hasMessage("upTo: 12 (expected: <= 11)");
    }
  }

  @Test
  void shouldSayHowACommandFailed() throws Exception {
    try (LiveStream stream =
        command(1 << 20, "echo out; echo first >&2; echo 'it broke' >&2; exit 3")) {
      Awaitility.await().until(() -> stream.failure().isPresent());
      assertThat(stream.failure().orElseThrow().errorText())
          .isEqualTo(
              "internal: live source \"live\": bash ended with exit code 3: it broke (expected: 0)");
      assertThat(stream.size()).isEmpty();
      assertThat(text(stream, 0, 10)).isEqualTo("out\n");
    }
  }

  @Test
  void shouldRefuseACommandThatIsNotThere() {
    LiveSources sources =
        new LiveSources(
            Map.of(name("live"), new LiveSource.Command(List.of("/no/such/program"))), 100);
    assertThat(refusal(() -> sources.open(name("live"), true)))
        .startsWith(
            "internal: live source \"live\" does not start: Cannot run program"
                + " \"/no/such/program\": ") // and, in words that differ between Java versions:
        .contains("No such file or directory")
        .endsWith(" (expected: a program and its arguments)");
  }

  @Test
  void shouldHoldTheSourceAtTheWindow() throws Exception {
    int window = 200_000;
    try (LiveWindow stream = command(window, "head -c 3000000 /dev/zero; printf end")) {
      Awaitility.await().until(() -> stream.end() == window);
      assertThat(stream.allocatedBytes()).isLessThanOrEqualTo(window + (64 << 10));
      long offset = 0;
      while (stream.size().isEmpty() || offset < stream.size().getAsLong()) {
        assertThat(stream.end() - stream.base()).isLessThanOrEqualTo(window);
        assertThat(stream.allocatedBytes()).isLessThanOrEqualTo(window + (2L * (64 << 10)));
        offset += stream.read(offset, ByteBuffer.allocate(70_001));
        stream.release(offset);
      }
      assertThat(offset).isEqualTo(3_000_003);
    }
  }

  @Test
  void shouldTellOfEveryChange() throws Exception {
    Path fifo = directory.resolve("fifo");
    run("mkfifo", fifo.toString());
    LiveSources sources = new LiveSources(Map.of(name("s"), new LiveSource.Fifo(fifo)), 1 << 20);
    try (LiveStream stream = sources.open(name("s"), true).orElseThrow()) {
      AtomicInteger changes = new AtomicInteger();
      stream.onChange(changes::incrementAndGet);
      assertThat(stream.size()).isEmpty();
      try (OutputStream out = Files.newOutputStream(fifo)) {
        out.write("one".getBytes(StandardCharsets.UTF_8));
        Awaitility.await().until(() -> stream.end() == 3);
        Awaitility.await().untilAsserted(() -> assertThat(changes).hasValue(1));
        out.write("two".getBytes(StandardCharsets.UTF_8));
        Awaitility.await().untilAsserted(() -> assertThat(changes).hasValue(2));
        assertThat(stream.size()).isEmpty();
      }
      Awaitility.await().until(() -> stream.size().isPresent());
      assertThat(text(stream, 0, 10)).isEqualTo("onetwo");
      Awaitility.await().untilAsserted(() -> assertThat(changes).hasValue(3));
    }
  }

  @Test
  void shouldGiveAFifoToOneReaderAtATime() throws Exception {
    Path fifo = directory.resolve("fifo");
    run("mkfifo", fifo.toString());
    LiveSources sources = new LiveSources(Map.of(name("s"), new LiveSource.Fifo(fifo)), 1 << 20);
    LiveStream first = sources.open(name("s"), true).orElseThrow();

    assertThat(refusal(() -> sources.open(name("s"), true)))
        .isEqualTo("busy: live source \"s\" has a reader (expected: one at a time)");
    // nobody ever wrote to it: closing it ends the wait all the same
    first.close();
    Awaitility.await()
        .ignoreExceptionsInstanceOf(ProtocolException.class)
        .untilAsserted(() -> sources.open(name("s"), true).orElseThrow().close());
    assertThat(sources.open(name("other"), true)).isEmpty();
  }

  @Test
  void shouldRefuseAPathThatIsNoFifo() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    LiveSources sources = new LiveSources(Map.of(name("s"), new LiveSource.Fifo(file)), 1 << 20);
    for (int i = 0; i < 2; i++) {
      assertThat(refusal(() -> sources.open(name("s"), true)))
          .isEqualTo(
              "internal: live source \"s\" does not start: file is no FIFO (expected: mkfifo)");
    }
  }

  @Test
  void shouldEndTheCommandWithItsChildrenOnClose() throws Exception {
    Path pid = directory.resolve("pid");
    LiveStream stream = command(1 << 20, "sleep 1000 & echo $! > " + pid + "; wait");
    Awaitility.await().until(() -> Files.exists(pid) && Files.size(pid) > 0);
    long child = Long.parseLong(Files.readString(pid).strip());
    assertThat(ProcessHandle.of(child)).isPresent();
    stream.close();
    Awaitility.await()
        .until(() -> ProcessHandle.of(child).map(handle -> !handle.isAlive()).orElse(true));
  }

  @Test
  void shouldHaveItsNameInTheStore() throws Exception {
    try (StoreFixture fixture = new StoreFixture(directory.resolve("store"))) {
      fixture.put("b/live", "a file of that name");
      fixture.put("a", "x");
      fixture.live =
          new LiveSources(
              Map.of(name("b/live"), new LiveSource.Command(List.of("printf", "alive"))), 1000);
      fixture.restart();

      assertThat(fixture.store.stat(name("b/live")).line()).isEqualTo("unknown - - b/live");
      assertThat(fixture.names()).containsExactly("a", "b/live");
      assertThat(fixture.store.list("b/", Optional.empty(), 1000).entries())
          .containsExactly(FileStat.live(name("b/live")));
      assertThat(refusal(() -> fixture.store.begin(request("b/live"))))
          .isEqualTo("denied: \"b/live\" is a live source (expected: a file)");
      assertThat(refusal(() -> fixture.store.delete(name("b/live"), Optional.empty())))
          .isEqualTo("denied: \"b/live\" is a live source (expected: a file)");
      try (LiveStream stream = fixture.store.openLive(name("b/live"), true).orElseThrow()) {
        Awaitility.await().until(() -> stream.size().isPresent());
        assertThat(text(stream, 0, 10)).isEqualTo("alive");
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
