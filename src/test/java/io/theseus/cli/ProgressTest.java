package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.client.NodeAddress;
import io.theseus.client.SessionInfo;
import io.theseus.client.TransferListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What a person is told in lines, where there is no terminal. */
final class ProgressTest {
  private final List<String> lines = new ArrayList<>();

  private static SessionInfo ready(long offset) {
    return new SessionInfo(
        new UUID(1, 2),
        OptionalLong.of(100 << 20),
        "id",
        "files@1",
        "127.0.0.1:7411",
        List.of(new NodeAddress("127.0.0.1", 7411)),
        1 << 20,
        1 << 16,
        Duration.ofSeconds(60),
        offset,
        false);
  }

  private TransferListener listener(Duration every, Progress.Direction direction) {
    return Progress.lines(lines::add, "a.iso", every).file(direction);
  }

  @Test
  void shouldTellOfALostConnectionOnceAndOfTheNewOne() {
    TransferListener listener = listener(Duration.ofDays(1), Progress.Direction.GET);
    listener.ready(ready(0));
    listener.reconnecting("Connection reset", 1, Duration.ZERO);
    listener.reconnecting("Connection refused", 2, Duration.ofMillis(100));
    listener.ready(ready(50 << 20));

    assertThat(lines)
        .containsExactly(
            "a.iso: Connection lost: Connection reset. Reconnecting.",
            "a.iso: Connected to 127.0.0.1:7411 again; going on at 50.0 MiB.");
  }

  @Test
  void shouldTellOfAResume() {
    listener(Duration.ofDays(1), Progress.Direction.GET).ready(ready(50 << 20));
    TransferListener put = listener(Duration.ofDays(1), Progress.Direction.PUT);
    put.ready(ready(0));
    put.progress(0, 0, OptionalLong.of(100 << 20));
    put.progress(31 << 20, 30 << 20, OptionalLong.of(100 << 20));
    put.progress(41 << 20, 40 << 20, OptionalLong.of(100 << 20));

    assertThat(lines)
        .containsExactly(
            "a.iso: Going on at 50.0 MiB.",
            "a.iso: The node has 30.0 MiB already; going on there.");
  }

  @Test
  void shouldTellWhatTheNodeSays() {
    TransferListener listener = listener(Duration.ofDays(1), Progress.Direction.GET);
    listener.notice("Replication: \u001bunder");
    listener.resumed("files@2");
    listener.restarted("the file changed");
    listener.streaming("the source is live");

    assertThat(lines)
        .containsExactly(
            "a.iso: The node says: Replication: \\u001Bunder",
            "a.iso: The node goes on with module files@2.",
            "a.iso: Starting over: the file changed",
            "a.iso: Going on as a stream, which can't be resumed: the source is live");
  }

  @Test
  void shouldTellOfProgressInBytesThatAreSafe() {
    TransferListener put = listener(Duration.ZERO, Progress.Direction.PUT);
    put.progress(1 << 20, 0, OptionalLong.of(100 << 20));
    put.progress(40 << 20, 10 << 20, OptionalLong.of(100 << 20));
    TransferListener get = listener(Duration.ZERO, Progress.Direction.GET);
    get.progress(40 << 20, 10 << 20, OptionalLong.empty());

    assertThat(lines)
        .containsExactly(
            "a.iso: 0 B of 100.0 MiB (0 %)",
            "a.iso: 10.0 MiB of 100.0 MiB (10 %)", "a.iso: 40.0 MiB");
  }

  @Test
  void shouldCountManyFilesAsOne() {
    Progress progress = Progress.lines(lines::add, "f/", Duration.ZERO);
    progress.total(300);
    progress.at("1/2 f/a");
    progress.file(Progress.Direction.GET).progress(100, 100, OptionalLong.of(100));
    progress.fileDone(100);
    progress.at("2/2 f/b");
    progress.file(Progress.Direction.GET).progress(50, 50, OptionalLong.of(200));

    assertThat(lines)
        .containsExactly(
            "f/: 0 B of 300 B (0 %)",
            "f/: 100 B of 300 B (33 %)", "f/: 100 B of 300 B (33 %)", "f/: 150 B of 300 B (50 %)");
  }
}
