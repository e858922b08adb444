package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.cli.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The transfer commands as a person runs them, against a real node. */
@Tag("processes")
class TransferProcessTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Instant MODIFIED = Instant.parse("2026-01-02T03:04:05.678Z");
  private static final ObjectMapper JSON = new ObjectMapper();

  private Path work;
  private TheseusProcess node;
  private String server;

  @BeforeEach
  void start(@TempDir Path temporary) throws IOException {
    work = temporary;
    node = TheseusProcess.node(work);
    server = TheseusProcess.runFile(work.resolve("data")).packets();
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private TheseusProcess theseus(String... arguments) throws IOException {
    return TheseusProcess.start(
        work,
        Map.of("THESEUS_SERVER", server, "XDG_STATE_HOME", work.resolve("state").toString()),
        arguments);
  }

  private static byte[] bytes(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static Path write(Path file, byte[] content) throws IOException {
    Path parent = file.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.write(file, content);
    Files.setLastModifiedTime(file, FileTime.from(MODIFIED));
    return file;
  }

  /** Names, contents and times below a directory. */
  private static String tree(Path directory) throws IOException {
    StringBuilder out = new StringBuilder();
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.filter(Files::isRegularFile).sorted().toList()) {
        out.append(directory.relativize(path)).append(' ');
        out.append(Files.getLastModifiedTime(path).toInstant()).append(' ');
        out.append(java.util.Arrays.hashCode(Files.readAllBytes(path))).append('\n');
      }
    }
    return out.toString();
  }

  private String succeed(String... arguments) throws IOException, InterruptedException {
    try (TheseusProcess command = theseus(arguments)) {
      assertThat(command.exitCode()).as(command.err()).isZero();
      return command.out();
    }
  }

  @Test
  void shouldPutListGetAndRemoveAFolder() throws IOException, InterruptedException {
    Path album = work.resolve("album");
    write(album.resolve("a.jpg"), bytes(100_000, 1));
    write(album.resolve("sub dir/日本 é.jpg"), bytes(2_000_000, 2));
    write(album.resolve("sub dir/empty"), new byte[0]);

    succeed("put", "-r", album.toString(), "photos/2026");
    assertThat(succeed("ls", "photos/").lines())
        .containsExactly(
            "photos/2026/a.jpg", "photos/2026/sub dir/empty", "photos/2026/sub dir/日本 é.jpg");
    succeed("get", "-r", "photos/2026", "-o", work.resolve("back").toString());
    assertThat(tree(work.resolve("back"))).isEqualTo(tree(album));

    // the second time nothing moves, either way
    try (TheseusProcess again =
        theseus("put", "-r", album.toString(), "photos/2026", "--continue")) {
      assertThat(again.exitCode()).isZero();
      assertThat(again.err()).startsWith("0 files, 0 B in ").contains("; 3 the same already.");
    }
    try (TheseusProcess again =
        theseus("get", "-r", "photos/2026", "-o", work.resolve("back").toString())) {
      assertThat(again.exitCode()).isZero();
      assertThat(again.err()).startsWith("0 files, 0 B in ").contains("; 3 the same already.");
    }

    JsonNode stat = JSON.readTree(succeed("stat", "photos/2026/a.jpg", "--json"));
    assertThat(stat.get("size").asLong()).isEqualTo(100_000);
    assertThat(Instant.parse(stat.get("modified").asText())).isEqualTo(MODIFIED);
    succeed("rm", "photos/2026/a.jpg", "--if-identity", stat.get("identity").asText());
    try (TheseusProcess gone = theseus("stat", "photos/2026/a.jpg")) {
      assertThat(gone.exitCode()).isEqualTo(ExitCode.NOT_FOUND.number());
      assertThat(gone.err()).startsWith("stat: not-found: ").doesNotContain("Exception");
    }
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130"})
  void shouldGoOnWithAGetThatWasStopped(String signal, int exit)
      throws IOException, InterruptedException {
    byte[] content = bytes(24 << 20, 3);
    write(work.resolve("data/files/big"), content);
    Path target = work.resolve("big");
    Path part = work.resolve(".big.theseus-part");
    try (TheseusProcess get =
        theseus("get", "big", "-o", target.toString(), "--limit-rate", "2M")) {
      await().atMost(LONG).until(() -> Files.exists(part) && Files.size(part) > 2 << 20);

      get.signal(signal);

      assertThat(get.exitCode()).isEqualTo(exit);
      assertThat(get.err())
          .contains("get: interrupted")
          .contains("Go on with: theseus get big -o " + target + " --limit-rate 2M --continue")
          .doesNotContain("Exception");
      assertThat(target).doesNotExist();
    }

    JsonNode result =
        JSON.readTree(succeed("get", "big", "-o", target.toString(), "--continue", "--json"));

    assertThat(result.get("resumedFrom").asLong()).isGreaterThan(2 << 20);
    assertThat(target).hasBinaryContent(content);
    assertThat(part).doesNotExist();
  }

  @Test
  void shouldGoOnWithAPutWhoseClientWasKilled() throws IOException, InterruptedException {
    byte[] content = bytes(24 << 20, 4);
    Path source = write(work.resolve("source"), content);
    try (TheseusProcess put =
        // so slow that a busy machine isn't done with it before it is killed
        theseus("put", source.toString(), "up", "--limit-rate", "1M", "--trace")) {
      // an OFFSET above 0: something was acknowledged
      await().atMost(LONG).until(() -> put.err().matches("(?s).*\n< OFFSET [1-9].*"));
      put.kill();
    }
    assertThat(work.resolve("data/files/up")).doesNotExist();

    JsonNode result =
        JSON.readTree(succeed("put", source.toString(), "up", "--continue", "--json"));

    assertThat(result.get("resumedFrom").asLong()).isPositive().isLessThan(content.length);
    assertThat(result.get("verified").asBoolean()).isTrue();
    assertThat(work.resolve("data/files/up")).hasBinaryContent(content);
  }

  @Test
  void shouldSayThatNobodyReadsAPipeAnyMore() throws IOException, InterruptedException {
    write(work.resolve("data/files/big"), bytes(24 << 20, 5));
    Path fifo = work.resolve("fifo");
    assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
    Process head =
        new ProcessBuilder("head", "-c", "10", fifo.toString())
            .redirectOutput(work.resolve("head").toFile())
            .start();
    try (TheseusProcess get = theseus("get", "big", "-o", fifo.toString())) {
      assertThat(get.exitCode()).as(get.err()).isEqualTo(ExitCode.LOCAL_IO.number());
      assertThat(get.err()).isEqualTo("get: nobody reads any more what is written (broken pipe)\n");
    }
    assertThat(head.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(work.resolve("head")).hasSize(10);
  }

  @Test
  void shouldSayWhenNoNodeRuns() throws IOException, InterruptedException {
    node.kill();
    try (TheseusProcess ls = theseus("ls")) {
      assertThat(ls.exitCode()).isEqualTo(ExitCode.UNREACHABLE.number());
      assertThat(ls.out()).isEmpty();
      assertThat(ls.err())
          .contains(server)
          .contains("`theseus node` starts one")
          .doesNotContain("Exception");
    }
  }
}
