package io.theseus.bench.transfer;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.bench.Pattern;
import io.theseus.bench.transfer.TransferCase.Way;
import io.theseus.bench.transfer.Verification.WrongBytesException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Wrong bytes fail a benchmark: other ones, at another place, in another file, too few or many. */
class VerificationTest {
  /** Longer than the pattern, which begins again in it. */
  private static final int SIZE = 9 << 20;

  private static final TransferCase GET =
      new TransferCase("trial-get", Way.GET, 1, 3, SIZE, false, false, 1, 0);
  private static final TransferCase PUT =
      new TransferCase("trial-put", Way.PUT, 1, 3, SIZE, false, false, 1, 0);

  @TempDir Path site;
  private Path folder = Path.of("");

  @BeforeEach
  void makeFiles() throws IOException {
    folder = Files.createDirectories(site.resolve("folder"));
    for (int i = 0; i < 3; i++) {
      Pattern.write(folder.resolve(TransferCase.fileName(i)), i, SIZE);
    }
  }

  @Test
  void shouldTakeWhatIsRight() throws IOException {
    check(PUT);
    check(GET);
  }

  @Test
  void shouldFindAByteThatIsAnother() throws IOException {
    byte[] bytes = Files.readAllBytes(file(2));
    bytes[SIZE - 1] ^= 1;
    Files.write(file(2), bytes);

    refuses(PUT, "trial-put: SHA-256 of folder/000002 from fake: ");
    refuses(GET, "trial-get: SHA-256 of folder/000002 from fake: ");
  }

  @Test
  void shouldFindAFileWithTheBytesOfAnother() throws IOException {
    Files.write(file(0), Files.readAllBytes(file(1)));

    refuses(PUT, "trial-put: SHA-256 of folder/000000 from fake: ");
  }

  @Test
  void shouldFindBytesThatAreEightMebibytesTooFar() throws IOException {
    byte[] bytes = Files.readAllBytes(file(1));
    System.arraycopy(bytes, 0, bytes, 8 << 20, 1 << 20);
    Files.write(file(1), bytes);

    refuses(PUT, "trial-put: SHA-256 of folder/000001 from fake: ");
  }

  @Test
  void shouldFindAFileThatIsMissingOrTooMuch() throws IOException {
    Path staged = Files.writeString(folder.resolve(".staged"), "");
    refuses(PUT, "trial-put: files of fake: 4 (expected: 3)");

    Files.delete(staged);
    Files.delete(file(1));
    refuses(PUT, "trial-put: fake has not stored folder/000001");
  }

  private Path file(int index) {
    return folder.resolve(TransferCase.fileName(index));
  }

  private void check(TransferCase what) throws IOException {
    new Verification(site, what).check(new FakeServer(), "folder");
  }

  private void refuses(TransferCase what, String message) {
    assertThatThrownBy(() -> check(what))
        .isInstanceOf(WrongBytesException.class)
        .hasMessageStartingWith(message);
  }

  /** Sends what stands in the folder. */
  private final class FakeServer implements Server {
    @Override
    public String name() {
      return "fake";
    }

    @Override
    public String fetch(TransferCase what, String name, int index) throws IOException {
      return io.theseus.testing.Content.sha256HexOf(file(index));
    }

    @Override
    public ProcessHandle process() {
      return ProcessHandle.current();
    }

    @Override
    public List<String> started() {
      return List.of();
    }

    @Override
    public Load load() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }
}
