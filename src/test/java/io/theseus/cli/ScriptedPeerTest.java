package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.testing.SoakResults;
import io.theseus.wire.ErrorCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our command line against an independent server, written in Python from the protocol page alone:
 * every scenario that it lists. The bytes have to be the right ones, the server must have seen no
 * violation of the page, and a failure must end with the right exit code and name its reason.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class ScriptedPeerTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path SERVER = Path.of("src/test/python/scripted_server.py");
  private static final int AT_ONCE = 8;
  private static final Duration SOAK_TIME = Duration.ofMinutes(50);
  private static final int CLOSES = 12;
  private static final int SMALL = 500;
  private static final int USUAL = 150_000;

  private Path dir;
  private ExecutorService pool;

  @BeforeEach
  void start(@TempDir Path temporary) {
    dir = temporary;
    // most of a scenario's time goes into waiting
    pool = Executors.newFixedThreadPool(AT_ONCE);
  }

  @AfterEach
  void stop() {
    pool.shutdownNow();
  }

  private static List<JsonNode> scenarios() throws IOException, InterruptedException {
    Process list;
    try {
      list =
          new ProcessBuilder("python3", SERVER.toString(), "--list")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException e) {
      assumeTrue(false, "python3 is not installed: the scripted server can't be run");
      throw e;
    }
    List<JsonNode> scenarios = new ArrayList<>();
    JSON.readTree(list.getInputStream().readAllBytes()).forEach(scenarios::add);
    assertThat(list.waitFor()).isZero();
    assertThat(scenarios).hasSizeGreaterThan(100);
    return scenarios;
  }

  @TestFactory
  Stream<DynamicTest> shouldKeepToThePageInEveryScenario()
      throws IOException, InterruptedException {
    List<DynamicTest> tests = new ArrayList<>();
    String only = System.getProperty("scenario", "");
    for (JsonNode scenario : scenarios()) {
      String name = scenario.get("name").asText();
      if (!name.contains(only)) {
        continue;
      }
      CompletableFuture<Void> run =
          CompletableFuture.runAsync(
              () -> playAll(scenario, dir, CLOSES, Set.of(), passed -> {}), pool);
      tests.add(DynamicTest.dynamicTest(name, () -> run.get(5, TimeUnit.MINUTES)));
    }
    return tests.stream();
  }

  /** The long count. What passed is not played again when it is run once more. */
  @Tag("soak")
  @Tag("peer")
  @Test
  void shouldSurviveACloseAtEveryByte() throws Exception {
    SoakResults results = new SoakResults("peer");
    Set<String> passed = new HashSet<>(results.lines());
    List<CompletableFuture<Integer>> runs = new ArrayList<>();
    for (JsonNode scenario : scenarios()) {
      if (closes(scenario)) {
        runs.add(
            CompletableFuture.supplyAsync(
                () -> playAll(scenario, dir, Integer.MAX_VALUE, passed, results::add), pool));
      }
    }
    long end = System.nanoTime() + SOAK_TIME.toNanos();
    int closes = 0;
    try {
      for (CompletableFuture<Integer> run : runs) {
        closes += run.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
    } catch (TimeoutException e) {
      assumeTrue(false, "not done yet, run it again to go on: " + results.lines().size());
    } catch (ExecutionException e) {
      results.failed(e);
      throw e;
    }
    System.out.println("closes: " + closes);
    results.done();
  }

  private static boolean closes(JsonNode scenario) {
    return scenario.get("needs_close_after").asBoolean();
  }

  /**
   * One scenario; one that closes after N bytes is played for so many N up to all that there are.
   *
   * @param passed runs that are left out
   * @param pass hears of each that passed
   * @return how many runs have passed by now
   */
  private static int playAll(
      JsonNode scenario, Path dir, int closes, Set<String> passed, Consumer<String> pass) {
    String name = scenario.get("name").asText();
    Path folder = dir.resolve(name);
    try {
      if (!closes(scenario)) {
        play(scenario, folder, Optional.empty());
        return 1;
      }
      JsonNode whole = play(scenario, folder.resolve("whole"), Optional.of(1L << 30));
      String counted = name.endsWith("received") ? "received_bytes" : "sent_bytes";
      long total = whole.get(counted).get(0).asLong();
      long step = Math.max(1, total / closes);
      int runs = 0;
      for (long after = 1; after <= total; after += step) {
        String run = name + " after " + after;
        if (!passed.contains(run)) {
          play(scenario, folder.resolve("after-" + after), Optional.of(after));
          pass.accept(run);
        }
        runs++;
      }
      return runs;
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(name, e);
    }
  }

  private static JsonNode play(JsonNode scenario, Path folder, Optional<Long> closeAfter)
      throws IOException, InterruptedException {
    Files.createDirectories(folder);
    String name = scenario.get("name").asText();
    List<String> command = new ArrayList<>();
    command.addAll(List.of("python3", SERVER.toString(), "--scenario", name, "--seed", "7"));
    command.add("--until-stdin-ends");
    closeAfter.ifPresent(bytes -> command.addAll(List.of("--close-after", bytes.toString())));
    Process server =
        new ProcessBuilder(command).redirectError(folder.resolve("server.log").toFile()).start();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
      JsonNode begun = JSON.readTree(String.valueOf(lines.readLine()));
      Shell shell = new Shell("127.0.0.1:" + begun.get("port").asInt(), folder.resolve("state"));
      Shell.Ran ran =
          scenario.get("verb").asText().equals("GET")
              ? get(scenario, shell, folder)
              : put(scenario, shell, folder, closeAfter.isPresent());
      server.getOutputStream().close();
      String last = "";
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        last = line;
      }
      JsonNode report = JSON.readTree(last);
      check(scenario, folder, ran, report, closeAfter);
      return report;
    } finally {
      server.destroyForcibly();
    }
  }

  private static Shell.Ran get(JsonNode scenario, Shell shell, Path folder) throws IOException {
    if (needs(scenario, "Consumer: stream")) {
      Shell.Ran ran = shell.run("get", "some/name", "-o", "-");
      Files.write(folder.resolve("file"), ran.data());
      return ran;
    }
    String file = folder.resolve("file").toString();
    return needs(scenario, "without Window")
        ? shell.run("get", "some/name", "-o", file, "--window", "0")
        : shell.run("get", "some/name", "-o", file);
  }

  private static Shell.Ran put(JsonNode scenario, Shell shell, Path folder, boolean small)
      throws IOException {
    String name = scenario.get("name").asText();
    boolean stream = needs(scenario, "without Size") || name.contains("behind-the-end");
    byte[] content = new byte[small || name.contains("window-1") ? SMALL : USUAL];
    new Random(3).nextBytes(content);
    Path file = Files.write(folder.resolve("file"), content);
    if (stream) {
      shell.in = content;
      return shell.run("put", "-", "some/name");
    }
    return shell.run("put", file.toString(), "some/name");
  }

  private static boolean needs(JsonNode scenario, String how) {
    return scenario.get("client").asText().equals(how);
  }

  private static void check(
      JsonNode scenario, Path folder, Shell.Ran ran, JsonNode report, Optional<Long> closeAfter)
      throws IOException {
    String name = scenario.get("name").asText();
    String about = name + closeAfter.map(n -> " closed after " + n).orElse("");
    String seen = about + ": exit " + ran.exit() + ", " + ran.err() + "\n" + report;
    List<String> violations = new ArrayList<>();
    report.get("violations").forEach(violation -> violations.add(violation.asText()));
    if (name.equals("get-live-refused") || name.equals("get-error-before-incompatible")) {
      // into a file our client asks once more, as a stream, which is another request
      violations.removeIf(text -> text.startsWith("GET on connection 2 after what is final"));
    }
    assertThat(violations).as(seen).isEmpty();
    switch (scenario.get("expected").asText()) {
      case "success" -> assertThat(ran.exit()).as(seen).isZero();
      case "failure" -> {
        if (name.equals("get-live-refused")) {
          assertThat(ran.exit()).as(seen).isZero();
          assertThat(ran.err()).as(seen).contains("Going on as a stream").contains("incompatible");
        } else {
          assertThat(ran.exit()).as(seen).isEqualTo(failure(scenario).number());
          assertThat(ran.err()).as(seen).contains(scenario.get("code").asText(""));
          assertThat(ran.err()).as(seen).doesNotContain("Exception");
        }
      }
      default -> assertThat(ran.exit()).as(seen).isIn(0, ExitCode.LOST_BYTES.number());
    }
    if (ran.exit() == 0) {
      assertThat(FolderServer.sha256(Files.readAllBytes(folder.resolve("file"))))
          .as(seen)
          .isEqualTo(report.get("sha256").asText());
    }
  }

  private static ExitCode failure(JsonNode scenario) {
    String name = scenario.get("name").asText();
    if (name.endsWith("wrong-hash")) {
      return ExitCode.HASH_MISMATCH;
    }
    if (name.startsWith("put-lost")) {
      return ExitCode.LOST_BYTES;
    }
    return ErrorCode.ofText(scenario.get("code").asText())
        .map(ExitCode::of)
        .orElse(ExitCode.INTERNAL);
  }
}
