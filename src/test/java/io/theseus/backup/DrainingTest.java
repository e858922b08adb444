package io.theseus.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator said of a backup outlives the process. */
final class DrainingTest {
  @Test
  void shouldBeAsItWasSaidLast(@TempDir Path data) throws IOException {
    Path directory = data.resolve("backup");
    assertThat(Draining.in(directory).isOn()).isFalse();
    Draining.in(directory).set(true);
    assertThat(Draining.in(directory).isOn()).isTrue();
    Draining.in(directory).set(false);
    assertThat(Draining.in(directory).isOn()).isFalse();
  }

  @Test
  void shouldRefuseADamagedFile(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("draining"), "ye");
    assertThatThrownBy(() -> Draining.in(directory))
        .isInstanceOf(IOException.class)
        .hasMessage(
            directory.resolve("draining") + ": damaged (expected: yes or no; remove it for no)");
  }
}
