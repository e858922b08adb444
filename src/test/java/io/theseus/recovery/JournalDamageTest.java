package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.cli.ExitCode;
import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer.End;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Row 10 of the faults, the journal: a torn tail is what nobody was told, and is dropped; a corrupt
 * middle was acknowledged, and the node refuses to start without it, naming the file and the
 * remedy.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class JournalDamageTest {
  private static final int PACKET = 64 << 10;
  private static final Content CONTENT = Content.random(40, 2 << 20);

  private static final int BLOCK = 32 * 1024;
  private static final int HEADER = 7;

  private Path directory;
  private NodeProcess node;
  private RawPut put;

  @BeforeEach
  void acknowledgeHalfAndKill(@TempDir Path temporary) {
    directory = temporary;
    node = NodeProcess.start(temporary.resolve("node"));
    put = new RawPut("file", CONTENT, /* sized= */ true, PACKET, PACKET);
    assertThat(put.run(node.address(), CONTENT.size() / 2)).isEqualTo(End.LEFT);
    node.kill();
  }

  @AfterEach
  void stop() {
    node.close();
  }

  /** The log that was written last. */
  private Path log() throws IOException {
    try (Stream<Path> files = Files.list(node.journal())) {
      return files
          .filter(file -> file.toString().endsWith(".log"))
          .max(Comparator.naturalOrder())
          .orElseThrow();
    }
  }

  /** Behind the last record; the fragments of LevelDB's log, in blocks of 32 KiB. */
  private static int end(byte[] log) {
    ByteBuffer in = ByteBuffer.wrap(log).order(ByteOrder.LITTLE_ENDIAN);
    int at = 0;
    while (true) {
      int left = BLOCK - at % BLOCK;
      if (left < HEADER) {
        at += left;
      } else if (at + HEADER > log.length || log[at + 6] == 0) {
        return at;
      } else {
        at += HEADER + Short.toUnsignedInt(in.getShort(at + 4));
      }
    }
  }

  @Test
  void shouldDropATornTail() throws IOException {
    long acknowledged = put.acknowledged();
    Path log = log();
    byte[] bytes = Files.readAllBytes(log);
    int end = end(bytes);
    // a record of 100 bytes of which 20 came
    byte[] torn = Arrays.copyOf(bytes, end + 27);
    torn[end] = 1;
    torn[end + 4] = 100;
    torn[end + 6] = 1;
    torn[end + 26] = 9;
    Files.write(log, torn);

    node.restart();

    assertThat(node.log())
        .contains("torn tail of " + log.getFileName() + " cut off at offset ")
        .contains(" bytes: a write that a crash or power cut interrupted, acknowledged to nobody");
    assertThat(put.run(node.address())).as(put.loss()).isEqualTo(End.COMPLETE);
    assertThat(put.begunAt()).containsExactly(0L, acknowledged);
  }

  @Test
  void shouldRefuseToStartOnACorruptMiddleAndNameFileAndRemedy() throws IOException {
    long acknowledged = put.acknowledged();
    Path log = log();
    byte[] sound = Files.readAllBytes(log);
    byte[] corrupt = sound.clone();
    corrupt[end(sound) / 2] ^= 4;
    Files.write(log, corrupt);

    NodeProcess.Refusal refusal = NodeProcess.refused(directory.resolve("again"), node.dataDir());

    assertThat(refusal.exitCode()).isEqualTo(ExitCode.CANT_START.number());
    assertThat(refusal.output())
        .contains("The journal can't be opened: journal corrupt: " + log + " is damaged at offset ")
        .contains(", and a good record begins behind it at offset ")
        .contains(
            "; remedy: put back a copy of "
                + node.journal()
                + ", or move that directory away and start again: sessions that were open then"
                + " begin anew, complete files are not touched");
    assertThat(log).as("nothing was changed").hasBinaryContent(corrupt);
    assertThat(Visible.parts(node)).as("what is staged").isNotEmpty();

    // the remedy
    Files.write(log, sound);
    node.restart();
    assertThat(put.run(node.address())).as(put.loss()).isEqualTo(End.COMPLETE);
    assertThat(put.begunAt()).containsExactly(0L, acknowledged);
  }
}
