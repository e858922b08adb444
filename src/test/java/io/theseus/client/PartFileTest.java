package io.theseus.client;

import static io.theseus.client.ClientFixture.NAME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.client.PartFile.State;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartFileTest {
  private static final UUID SESSION = UUID.fromString("12345678-1234-4234-9234-123456789abc");
  private final Path target;

  PartFileTest(@TempDir Path dir) {
    target = dir.resolve("out");
  }

  private static State state(long safe) {
    return new State(NAME, SESSION, Optional.of("id"), OptionalLong.of(100), true, safe);
  }

  private void write(int bytes, long safe) throws IOException {
    try (PartFile part = PartFile.open(target)) {
      part.channel().write(ByteBuffer.allocate(bytes));
      part.write(state(safe));
    }
  }

  @Test
  void shouldTrustEveryByteAfterTheEndOfAProcess() throws IOException {
    write(70, 30);
    try (PartFile part = PartFile.open(target)) {
      assertThat(part.left()).contains(new PartFile.Left(state(30), 70));
    }
  }

  @Test
  void shouldTrustOnlyWhatWasSyncedAfterTheEndOfTheMachine() throws IOException {
    write(70, 30);
    Path file = target.resolveSibling(".out.theseus-state");
    Files.writeString(file, Files.readString(file).replaceAll("Boot: .*", "Boot: another"));
    try (PartFile part = PartFile.open(target)) {
      assertThat(part.left()).contains(new PartFile.Left(state(30), 30));
    }
  }

  @Test
  void shouldTrustNoMoreThanIsThere() throws IOException {
    write(20, 30);
    try (PartFile part = PartFile.open(target)) {
      assertThat(part.left().orElseThrow().usable()).isEqualTo(20);
      assertThat(part.left().orElseThrow().state().safe()).isEqualTo(20);
    }
  }

  @Test
  void shouldTakeADamagedStateForNone() throws IOException {
    write(20, 10);
    Files.writeString(target.resolveSibling(".out.theseus-state"), "PART x\nSession 12");
    try (PartFile part = PartFile.open(target)) {
      assertThat(part.left()).isEmpty();
    }
  }

  @Test
  void shouldRefuseASecondWriter() throws IOException {
    try (PartFile part = PartFile.open(target)) {
      assertThat(part.path()).exists();
      assertThatThrownBy(() -> PartFile.open(target))
          .hasMessageEndingWith("another get is writing it (expected: one at a time)");
    }
    PartFile.open(target).close();
  }

  @Test
  void shouldRefuseADirectory() throws IOException {
    Files.createDirectory(target);
    assertThatThrownBy(() -> PartFile.open(target))
        .hasMessage(target + ": is a directory (expected: a file)");
  }

  @Test
  void shouldFindRoomForTheLongestNames() {
    String longest = "ö".repeat(127) + "x";
    String hidden = PartFile.hidden(longest, ".theseus-state");
    assertThat(hidden.getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(255);
    assertThat(hidden).startsWith(".").endsWith(".theseus-state");
    assertThat(hidden).isNotEqualTo(PartFile.hidden("y" + longest, ".theseus-state"));
    assertThat(PartFile.hidden("a", ".theseus-part")).isEqualTo(".a.theseus-part");
  }
}
