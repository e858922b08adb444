package io.theseus.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StateFileTest {
  @TempDir Path directory;

  @Test
  void shouldReadWhatItWroteLast() throws IOException {
    StateFile file = new StateFile(directory);
    assertThat(file.read()).isEmpty();
    for (AgentState state : Examples.agentStates()) {
      file.write(state);
      assertThat(new StateFile(directory).read()).hasValue(state);
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void shouldNotBeMisledByAWriteThatACrashCutShort() throws IOException {
    StateFile file = new StateFile(directory);
    AgentState state = Examples.agentStates().get(0);
    file.write(state);
    Files.writeString(directory.resolve("upgrade.new"), "12345678 {\"ver");
    assertThat(file.read()).hasValue(state);
    AgentState next = Examples.agentStates().get(1);
    file.write(next);
    assertThat(file.read()).hasValue(next);
  }

  @Test
  void shouldRefuseEveryFlippedBit() throws IOException {
    StateFile file = new StateFile(directory);
    file.write(Examples.agentStates().get(2));
    Path path = directory.resolve("upgrade");
    byte[] sound = Files.readAllBytes(path);
    for (int at = 0; at < sound.length; at++) {
      byte[] damaged = sound.clone();
      damaged[at] ^= (byte) (1 << (at % 8));
      Files.write(path, damaged);
      assertThatThrownBy(file::read)
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(path + ": ")
          .hasMessageContaining(" (expected: ")
          .hasMessageContaining("; remedy: remove it");
    }
  }

  @Test
  void shouldRefuseWhatIsSoundAndNotUnderstood() throws IOException {
    Path path = directory.resolve("upgrade");
    Files.writeString(path, "");
    assertThatThrownBy(() -> new StateFile(directory).read())
        .hasMessageContaining("no checksum in front (expected: 8 hex digits and a space)");

    byte[] json = "{\"version\":2,\"state\":null}".getBytes(StandardCharsets.UTF_8);
    java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
    crc.update(json);
    Files.writeString(
        path, String.format("%08x ", crc.getValue()) + new String(json, StandardCharsets.UTF_8));
    assertThatThrownBy(() -> new StateFile(directory).read())
        .hasMessageContaining("version: 2 (expected: 1)");
  }
}
