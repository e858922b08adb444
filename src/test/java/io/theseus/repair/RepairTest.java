package io.theseus.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.names.TestNames;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The upkeep of a node that is alone. */
final class RepairTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private RepairStore files;
  private Repair repair;

  @BeforeEach
  void open(@TempDir Path directory) throws Exception {
    files = new RepairStore(directory);
    repair =
        new Repair(
            new RepairSettings(
                "node2", 1, Duration.ZERO, 0, Duration.ZERO, 0, directory.resolve("repair")),
            files.store,
            TestNames.alone(files.store, files.disk),
            null,
            null,
            (node, name, version, to) -> new CompletableFuture<>(),
            Clock.systemUTC());
    repair.start();
  }

  @AfterEach
  void close() throws Exception {
    repair.close();
    files.close();
  }

  @Test
  void shouldSayThatNothingWasRead() {
    assertThat(repair.verification().refusal()).isEqualTo("no file was to be read since its start");
    assertThat(repair.scrub()).isEqualTo(ScrubStatus.NONE);
    assertThat(repair.refill()).isEqualTo(RefillStatus.NONE);
    assertThat(repair.left()).isEqualTo(-1);
    assertThat(repair.lastScrub()).isEmpty();
  }

  @Test
  void shouldReadWhatIsAskedFor() throws Exception {
    files.put("f", "content");
    files.rot("f");
    assertThat(repair.verify("").refusal()).isEmpty();
    await().atMost(PATIENCE).until(() -> !repair.verification().status().running());
    assertThat(repair.verification().refusal()).isEmpty();
    assertThat(repair.verification().status().findings())
        .containsExactly(new Finding("f", "", "no other node that can be reached has it"));
    assertThat(repair.rotten()).hasSize(1);
  }

  @Test
  void shouldSayOnceWhatCameOfBringing() {
    assertThat(repair.bring("f", "0@n", "node1")).isEqualTo(new Remote.Brought(true, ""));
    await().atMost(PATIENCE).until(() -> !repair.bring("f", "0@n", "node1").running());
    // heard by who asked; asked again, it begins again
    assertThat(repair.bring("f", "0@n", "node1").running()).isTrue();
  }
}
