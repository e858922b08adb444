package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.theseus.cli.ExitCode;
import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.PacketSocket.RefusedException;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer.End;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Negative controls: what the node is to remember is taken away while it is dead. Nothing resumes
 * then, nothing begins anew in silence, and both sides say what is lost.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class LossTest {
  private static final int PACKET = 256 << 10;
  private static final Content CONTENT = Content.random(10, 4 << 20);
  private static final long HALF = CONTENT.size() / 2;

  private Path directory;
  private NodeProcess node;
  private RawPut put;

  @BeforeEach
  void start(@TempDir Path temporary) {
    directory = temporary;
    node = NodeProcess.start(temporary.resolve("node"));
    put = new RawPut("lost/file", CONTENT, /* sized= */ true, PACKET, PACKET);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private long acknowledgeHalfAndKill() {
    assertThat(put.run(node.address(), HALF)).isEqualTo(End.LEFT);
    node.kill();
    assertThat(put.isBetween()).isTrue();
    return put.acknowledged();
  }

  private void assertNothingIsThere() {
    assertThat(Visible.list(node)).isEmpty();
    assertThat(Visible.onDisk(node)).isEmpty();
  }

  @Test
  void shouldResumeWhereNothingIsTakenAway() {
    long acknowledged = acknowledgeHalfAndKill();
    node.restart();

    assertThat(put.run(node.address())).isEqualTo(End.COMPLETE);

    assertThat(put.begunAt()).containsExactly(0L, acknowledged);
  }

  @Test
  void shouldNotResumeWithoutItsJournal() {
    long acknowledged = acknowledgeHalfAndKill();
    deleteAll(node.journal());
    node.restart();

    assertThatThrownBy(() -> put.run(node.address()))
        .isInstanceOf(RefusedException.class)
        .hasMessage(
            "unknown-session: session "
                + put.session()
                + " from Offset "
                + acknowledged
                + " (expected: at most 0, all that node node1 has of it)");

    assertNothingIsThere();
    assertThat(Visible.parts(node)).as("parts without marks").isEmpty();
  }

  @Test
  void shouldReportAPartThatIsGone() throws IOException {
    long acknowledged = acknowledgeHalfAndKill();
    Files.delete(part());
    node.restart();

    assertThatThrownBy(() -> put.run(node.address()))
        .isInstanceOf(RefusedException.class)
        .hasMessage(
            "unknown-session: session "
                + put.session()
                + " from Offset "
                + acknowledged
                + " (expected: at most 0, all that node node1 has of it)");

    assertNothingIsThere();
    assertLossIsLogged(0, acknowledged);
  }

  @Test
  void shouldReportAPartThatIsTooShort() throws IOException {
    long acknowledged = acknowledgeHalfAndKill();
    long left = acknowledged - 1;
    try (FileChannel channel = FileChannel.open(part(), StandardOpenOption.WRITE)) {
      channel.truncate(left);
    }
    node.restart();

    assertThatThrownBy(() -> put.run(node.address()))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith("unknown-session: ")
        .hasMessageContaining("from Offset " + acknowledged + " (expected: at most " + left);

    assertNothingIsThere();
    assertLossIsLogged(left, acknowledged);
  }

  /** A client that forgot what it was told must not make the node forget it too. */
  @Test
  void shouldNotBeginAnewInSilenceWhereAcknowledgedBytesAreGone() throws IOException {
    long acknowledged = acknowledgeHalfAndKill();
    Files.delete(part());
    node.restart();
    put.acknowledged(0);

    assertThatThrownBy(() -> put.run(node.address()))
        .isInstanceOf(RefusedException.class)
        .hasMessage(
            "internal: \"lost/file\" session "
                + put.session()
                + " lost acknowledged bytes: its part is gone (expected: >= "
                + acknowledged
                + ")");

    assertNothingIsThere();
  }

  /** The hash finds what the disk did to bytes that were acknowledged. */
  @Test
  void shouldNotCompleteWhatWasChangedWhileTheNodeWasDead() throws IOException {
    acknowledgeHalfAndKill();
    try (FileChannel channel = FileChannel.open(part(), StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[64]), 1000);
    }
    node.restart();

    assertThatThrownBy(() -> put.run(node.address()))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith("bad-field: SHA-256: " + CONTENT.sha256Hex() + " (expected: ");

    assertNothingIsThere();
  }

  @Test
  void shouldEndOurClientWithTheLossWhenTheJournalIsGone() throws Exception {
    Path file = directory.resolve("big");
    byte[] bytes = new byte[24 << 20];
    new java.util.Random(5).nextBytes(bytes);
    Files.write(file, bytes);
    int port = node.address().getPort();
    Path said = directory.resolve("client.log");
    Process client =
        NodeProcess.program(
            directory,
            said,
            "put",
            file.toString(),
            "big",
            "--server",
            "127.0.0.1:" + port,
            "--limit-rate",
            "2MiB",
            "--retry-for",
            "4m",
            "--trace");
    try {
      await("an acknowledgement").atMost(Duration.ofMinutes(3)).until(() -> isAcknowledged(said));
      node.kill();
      deleteAll(node.journal());
      node.restart();
      assumeThat(node.address().getPort()).as("another program took the port").isEqualTo(port);

      await("the end of the client").atMost(Duration.ofMinutes(4)).until(() -> !client.isAlive());
    } finally {
      client.destroyForcibly();
    }

    String output = Files.readString(said);
    assertThat(client.exitValue()).as(output).isEqualTo(ExitCode.LOST_BYTES.number());
    assertThat(output)
        .containsPattern(
            "offset: [1-9][0-9]* was acknowledged, and no node has the session any more")
        .containsPattern("from Offset [1-9][0-9]* \\(expected: at most 0, all that node node1 has");
    assertNothingIsThere();
  }

  /** From {@code --trace}: {@code <} for what came. */
  private static boolean isAcknowledged(Path said) {
    try (Stream<String> lines = Files.lines(said)) {
      return lines.anyMatch(line -> line.matches(".*< OFFSET [1-9].*"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path part() {
    return node.staging().resolve(put.session() + ".part");
  }

  private void assertLossIsLogged(long staged, long acknowledged) {
    assertThat(node.log())
        .contains(
            "lost acknowledged bytes of \"lost/file\": "
                + staged
                + " are staged (expected: >= "
                + acknowledged
                + ")");
  }

  private static void deleteAll(Path directory) {
    try (Stream<Path> paths = Files.walk(directory)) {
      List<Path> all = paths.sorted(Comparator.reverseOrder()).toList();
      for (Path path : all) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
