package io.theseus.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.names.TestNames;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The upkeep of a node that is alone. */
final class RepairTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Which field of proc_pid_stat(5), from the one behind the name on. */
  private static final int NICE = 16;

  private RepairStore files;
  private Repair repair;

  @BeforeEach
  void open(@TempDir Path directory) throws Exception {
    files = new RepairStore(directory);
    repair = repair("node2", Duration.ZERO, directory.resolve("repair"));
    repair.start();
  }

  private Repair repair(String node, Duration scrubEvery, Path state) throws Exception {
    return new Repair(
        new RepairSettings(node, 1, Duration.ZERO, 0, scrubEvery, 0, state),
        files.store,
        TestNames.alone(files.store, files.disk),
        null,
        null,
        (peer, name, version, to) -> new CompletableFuture<>(),
        Clock.systemUTC());
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
  @EnabledOnOs(OS.LINUX)
  void shouldReadByScheduleBehindAllOthersWhoWantAProcessor(@TempDir Path directory)
      throws Exception {
    try (Repair scrubbing = repair("scrubs", Duration.ofDays(1), directory.resolve("repair"))) {
      scrubbing.start();
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> assertThat(nice("scrubs-scrub-re")).containsExactly("19"));
      assertThat(nice("scrubs-scrub")).as("who mends, and asks others").doesNotContain("19");
    }
  }

  /** Of the threads of this name, of which the kernel has 15 characters. */
  private static List<String> nice(String thread) throws IOException {
    List<String> found = new ArrayList<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path each : threads) {
        String stat = Files.readString(each.resolve("stat"));
        if (stat.contains("(" + thread + ")")) {
          found.add(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[NICE]);
        }
      }
    } catch (NoSuchFileException e) {
      return List.of(); // one has ended meanwhile
    }
    return found;
  }

  @Test
  void shouldSayOnceWhatCameOfBringing() {
    assertThat(repair.bring("f", "0@n", "node1")).isEqualTo(new Remote.Brought(true, ""));
    await().atMost(PATIENCE).until(() -> !repair.bring("f", "0@n", "node1").running());
    // heard by who asked; asked again, it begins again
    assertThat(repair.bring("f", "0@n", "node1").running()).isTrue();
  }
}
