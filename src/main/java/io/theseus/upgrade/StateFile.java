package io.theseus.upgrade;

import io.theseus.store.DurableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * An agent's state on disk: one small file, {@code checksum JSON}, replaced as a whole.
 *
 * <p>A node without the file is taken for one that has lost its disk, and the others let it in
 * again; so a damaged file may be removed, but is never overlooked.
 */
final class StateFile {
  private static final String NAME = "upgrade";
  private static final int CHECKSUM_LENGTH = 8;

  private final Path directory;
  private final Path file;

  /** That of a directory, which exists. */
  StateFile(Path directory) {
    this.directory = directory;
    this.file = directory.resolve(NAME);
  }

  /**
   * What is on disk; empty where there is no file.
   *
   * @throws IOException naming the damage and the remedy
   */
  Optional<AgentState> read() throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    byte[] bytes = Files.readAllBytes(file);
    if (bytes.length <= CHECKSUM_LENGTH || bytes[CHECKSUM_LENGTH] != ' ') {
      throw damaged("no checksum in front (expected: 8 hex digits and a space)", null);
    }
    byte[] json = Arrays.copyOfRange(bytes, CHECKSUM_LENGTH + 1, bytes.length);
    String written = new String(bytes, 0, CHECKSUM_LENGTH, StandardCharsets.ISO_8859_1);
    String computed = checksum(json);
    if (!written.equals(computed)) {
      throw damaged("checksum: " + written + " (expected: " + computed + ")", null);
    }
    try {
      return Optional.of(Codec.agentState(json));
    } catch (IllegalArgumentException e) {
      throw damaged(String.valueOf(e.getMessage()), e);
    }
  }

  /** Makes a state durable. */
  void write(AgentState state) throws IOException {
    byte[] json = Codec.encode(state);
    ByteBuffer content = ByteBuffer.allocate(CHECKSUM_LENGTH + 1 + json.length);
    content.put((checksum(json) + " ").getBytes(StandardCharsets.ISO_8859_1)).put(json).flip();
    DurableFile.replace(directory, NAME, content);
  }

  private IOException damaged(String how, @Nullable Throwable cause) {
    return new IOException(
        file
            + ": "
            + how
            + "; remedy: remove it while the other nodes run, and they let this node in again",
        cause);
  }

  private static String checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return String.format("%08x", crc.getValue());
  }
}
