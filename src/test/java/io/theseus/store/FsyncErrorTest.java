package io.theseus.store;

import static io.theseus.store.StoreFixture.await;
import static io.theseus.store.StoreFixture.refusal;
import static io.theseus.store.StoreFixture.request;
import static io.theseus.store.StoreFixture.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Faults row 9: an fdatasync that fails, made by strace in a process of its own. */
@Timeout(120)
class FsyncErrorTest {
  private static final String STOPPED =
      "internal: the disk failed to sync: Input/output error (expected: a sound disk; check it and"
          + " restart the node)";

  @Test
  void shouldStopWritingAndNeverTryTheFsyncAgain(@TempDir Path directory) throws Exception {
    Path trace = directory.resolve("trace");
    Path output = directory.resolve("output");
    Process process;
    try {
      process =
          new ProcessBuilder(
                  "strace",
                  "-f",
                  "-qq",
                  "-o",
                  trace.toString(),
                  "-e",
                  "trace=fdatasync",
                  "-e",
                  "inject=fdatasync:error=EIO",
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Victim.class.getName(),
                  directory.resolve("store").toString())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
    } catch (IOException e) {
      assumeThat(e).as("the failing fsync is made by strace, which is not installed").isNull();
      return;
    }
    int code = process.waitFor();
    String said = Files.readString(output, StandardCharsets.UTF_8);
    assumeThat(said).as("strace may not trace here").doesNotContain("ptrace");
    assertThat(code).as(said).isZero();

    assertThat(said.lines().filter(line -> line.startsWith("> ")).toList())
        .isEqualTo(
            List.of(
                "> sync " + STOPPED,
                "> again " + STOPPED,
                "> commit " + STOPPED,
                "> other " + STOPPED,
                "> begin " + STOPPED,
                "> delete " + STOPPED,
                "> store " + STOPPED,
                "> read there before"));
    List<String> calls =
        Files.readAllLines(trace).stream().filter(line -> line.contains("EIO")).toList();
    assertThat(calls).as("an fdatasync that failed is not repeated").hasSize(1);
  }

  /** The process in which the disk fails. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      try (StoreFixture fixture = new StoreFixture(directory)) {
        Files.writeString(fixture.root.resolve("old"), "there before");
        Upload upload = fixture.store.begin(request("f"));
        Upload other = fixture.store.begin(request("g"));
        write(upload.takeOver(), "x");
        write(other.takeOver(), "x");
        say("sync", refusal(() -> await(upload.sync())));
        say("again", refusal(() -> await(upload.sync())));
        say("commit", refusal(() -> await(upload.commit(1, Optional.empty()))));
        say("other", refusal(() -> await(other.commit(1, Optional.empty()))));
        say("begin", refusal(() -> fixture.store.begin(request("h"))));
        say(
            "delete",
            refusal(() -> fixture.store.delete(StoreFixture.name("old"), Optional.empty())));
        say("store", fixture.store.failure().orElseThrow().errorText());
        say("read", fixture.read("old"));
      }
    }

    private static void say(String what, String text) {
      System.out.println("> " + what + " " + text);
    }
  }
}
