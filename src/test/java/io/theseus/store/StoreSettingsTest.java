package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreSettingsTest {
  private static final Path ROOT = Path.of("/r");
  private static final Path RECORDS = Path.of("/d/records");

  @Test
  void shouldStageInAHiddenDirectoryOfTheRoot() {
    assertThat(StoreSettings.of(ROOT, RECORDS, 0, Duration.ofHours(1)).staging())
        .isEqualTo(Path.of("/r/.theseus-staging"));
  }

  @Test
  void shouldRefuseWhatCannotBe() {
    assertThatThrownBy(() -> StoreSettings.of(ROOT, RECORDS, -1, Duration.ofHours(1)))
        .hasMessage("restBytes: -1 (expected: >= 0)");
    assertThatThrownBy(() -> StoreSettings.of(ROOT, RECORDS, 0, Duration.ZERO))
        .hasMessage("keep: PT0S (expected: > 0)");
    assertThatThrownBy(
            () -> new StoreSettings(ROOT, Path.of("/"), RECORDS, 0, Duration.ofHours(1), 0, 0))
        .hasMessage("staging: / (expected: a directory that does not hold the root, /r)");
    assertThatThrownBy(() -> StoreSettings.of(ROOT, RECORDS, 0, Duration.ofHours(1)).limited(1, -1))
        .hasMessage("maxBytes: 1, maxFiles: -1 (expected: >= 0)");
    assertThatThrownBy(() -> StoreSettings.of(ROOT, Path.of("/r/x"), 0, Duration.ofHours(1)))
        .hasMessage("records: /r/x (expected: a directory outside the root, /r)");
  }

  @Test
  void shouldRefuseStagingOnAnotherFileSystem(@TempDir Path directory) throws IOException {
    Path shm = Files.createTempDirectory(Path.of("/dev/shm"), "staging");
    try {
      StoreSettings settings =
          new StoreSettings(
              directory.resolve("f"), shm, directory.resolve("r"), 0, Duration.ofHours(1), 0, 0);
      assertThatThrownBy(
              () ->
                  FileStore.open(
                      settings,
                      Executors.newCachedThreadPool(),
                      new StoreFixture.HandClock(),
                      name -> {}))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(
              "staging: " + shm + " (expected: a directory on the file system of the root, ");
    } finally {
      StoreFixture.deleteAll(shm);
    }
  }
}
