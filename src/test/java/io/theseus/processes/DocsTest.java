package io.theseus.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.testing.Program;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs every command of README.md and docs/, in order, as its reader would: with bash, in a
 * directory that looks like a checkout with a jar that has been built.
 *
 * <ul>
 *   <li>Blocks of {@code sh} are run. Each line exits with 0, or with what its comment says ({@code
 *       # exit code 16}); lines of comment under it stand in what it prints.
 *   <li>A block of {@code ini} is a unit of systemd: its ExecStart is run.
 *   <li>A block of {@code text} is a line of a log: a node logged it, at another time.
 *   <li>Blocks of {@code hex} are the business of {@code ProtocolPageTest}. There are no others.
 *   <li>A node runs until another one needs its place (only those of {@code cluster/} run side by
 *       side), or the page ends; then it gets SIGTERM.
 * </ul>
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
class DocsTest {
  /** What can't be run here. Everything else is. */
  private static final Map<String, String> NOT_RUN =
      Map.of(
          "./theseus test", "runs this test; CI runs it (.ci/run)",
          "./theseus bench transfer", "takes long; its quick form is TransferBenchmarkTest",
          "./theseus bench sessions", "takes long",
          "./theseus bench upgrade", "takes long; its quick form is UpgradeBenchmarkTest",
          "./theseus bench backup", "takes long; its quick form is BackupBenchmarkTest",
          "./theseus bench artery", "takes long; its quick form is ArteryBenchmarkTest",
          "sudo cluster/lab/run", "needs root; LabTest runs it",
          "sudo useradd --system theseus", "changes the host",
          "sudo systemctl enable --now theseus", "changes the host; its ExecStart is run");

  private static final Duration LONG = Duration.ofSeconds(90);
  private static final int SIGTERMED = 143;

  /** Ports that the pages and cluster/ name; each becomes a free one, as others may run beside. */
  private static final List<String> PORTS =
      List.of(
          "7421", "7411", "7412", "7413", "7431", "7432", "7433", "7500", "25511", "25512",
          "25513");

  /** Where a service lives becomes a place below the working directory, owned by no root. */
  private static final Map<String, String> PLACES =
      Map.of("/opt/", "opt/", "/etc/", "etc/", "/var/lib/", "var/lib/", "/usr/bin/java", "java");

  /** A third of what the demonstration moves by default, in less time. */
  private static final Pattern DEMO = Pattern.compile("theseus demo$");

  private static final Pattern SUDO = Pattern.compile("\\bsudo (-u \\S+ )?");
  private static final Pattern EXIT_CODE = Pattern.compile(" # exit code (\\d+)$");
  private static final Pattern HEAD = Pattern.compile("\\| head -n (\\d+)$");
  private static final Pattern NODE = Pattern.compile("(theseus|theseus\\.jar) node\\b");
  private static final Pattern CODE_SPAN = Pattern.compile("`([^`]+)`");
  private static final Pattern COMMAND_SPAN =
      Pattern.compile("(\\./theseus|theseus|java|mvn|sudo|git|apt-get|tar) .*");
  private static final Pattern LOG_TIME = Pattern.compile("^\\d{4}-\\S+Z +");

  /** Something that a page says to do, or that a node of it has said. */
  private record Line(String where, boolean logged, String text, int exit, List<String> output) {}

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "docs/modules.md", "docs/operations.md"})
  void shouldRunEveryCommand(String page, @TempDir Path work) throws Exception {
    try (Reader reader = new Reader(work)) {
      for (Line line : lines(Path.of(page))) {
        if (line.logged()) {
          reader.seeLogged(line);
        } else if (!NOT_RUN.containsKey(line.text())) {
          reader.run(line);
        }
      }
      reader.stopNodes();
      if (page.equals("README.md")) {
        reader.seeThatFilesCameBack();
      }
    }
  }

  @Test
  void shouldRunAllPagesThatHaveCommands() throws Exception {
    List<String> with = new ArrayList<>();
    for (Path page : pages()) {
      if (!lines(page).isEmpty()) {
        with.add(page.toString());
      }
    }
    assertThat(with).containsExactly("README.md", "docs/modules.md", "docs/operations.md");
  }

  @Test
  void shouldListOnlyWhatThePagesSay() throws Exception {
    assertThat(commands()).containsAll(NOT_RUN.keySet());
  }

  /** A command that is named in a sentence also stands in a block, perhaps with more behind it. */
  @Test
  void shouldKnowEveryCommandInASentence() throws Exception {
    List<String> commands = commands();
    int found = 0;
    for (Path page : pages()) {
      String prose = Files.readString(page).replaceAll("(?ms)^```.*?^```$", "");
      Matcher span = CODE_SPAN.matcher(prose);
      while (span.find()) {
        String text = span.group(1).replaceAll("\\s+", " ");
        if (COMMAND_SPAN.matcher(text).matches()) {
          found++;
          String full = text.startsWith("theseus ") ? "./" + text : text;
          assertThat(commands)
              .as("%s: `%s` stands in a block that is run", page, text)
              .anyMatch(each -> each.equals(full) || each.startsWith(full + " "));
        }
      }
    }
    assertThat(found).isPositive();
  }

  // ---- what the pages say

  private static List<Path> pages() throws IOException {
    try (Stream<Path> docs = Files.list(Path.of("docs"))) {
      return Stream.concat(
              Stream.of(Path.of("README.md")),
              docs.filter(each -> each.toString().endsWith(".md")).sorted())
          .toList();
    }
  }

  private static List<String> commands() throws IOException {
    List<String> commands = new ArrayList<>();
    for (Path page : pages()) {
      lines(page).stream().filter(each -> !each.logged()).map(Line::text).forEach(commands::add);
    }
    return commands;
  }

  private static List<Line> lines(Path page) throws IOException {
    List<Line> lines = new ArrayList<>();
    String block = "";
    int number = 0;
    for (String line : Files.readAllLines(page)) {
      number++;
      String where = page + ":" + number;
      if (line.startsWith("```")) {
        block = block.isEmpty() ? line.substring(3) : "";
        assertThat(block).as(where + ": a kind of block").isIn("", "sh", "ini", "text", "hex");
        continue;
      }
      switch (block) {
        case "" ->
            assertThat(line)
                .as(where + ": blocks stand between ```, so that their kind is known")
                .doesNotStartWith("    ");
        case "sh" -> {
          if (line.startsWith("# ")) {
            lines.get(lines.size() - 1).output().add(line.substring(2));
          } else if (!line.isBlank()) {
            lines.add(command(where, line));
          }
        }
        case "ini" -> {
          if (line.startsWith("ExecStart=")) {
            lines.add(command(where, line.substring("ExecStart=".length())));
          }
        }
        case "text" -> lines.add(new Line(where, true, line, 0, List.of()));
        default -> {}
      }
    }
    assertThat(block).as(page + ": every block ends").isEmpty();
    return lines;
  }

  private static Line command(String where, String line) {
    assertThat(line).as(where + ": a command is one line").doesNotEndWith("\\");
    Matcher exit = EXIT_CODE.matcher(line);
    int expected = exit.find() ? Integer.parseInt(exit.group(1)) : 0;
    return new Line(where, false, line.replaceFirst(" +# .*$", ""), expected, new ArrayList<>());
  }

  // ---- who does it

  /** Somebody who follows a page. */
  private static final class Reader implements AutoCloseable {
    /** A node in a terminal of its own. */
    private record Terminal(String where, boolean inCluster, Process process, Path out, Path err) {}

    private final Path work;
    private final Map<String, String> ports = new LinkedHashMap<>();
    private final List<Terminal> nodes = new ArrayList<>();
    private final StringBuilder logs = new StringBuilder();
    private int count;

    Reader(Path work) throws IOException {
      this.work = work;
      takeFreePorts();
      // without the sources beside it, the launcher has nothing to build
      Files.copy(Path.of("theseus"), work.resolve("theseus"));
      assertThat(work.resolve("theseus").toFile().setExecutable(true)).isTrue();
      Files.createSymbolicLink(
          Files.createDirectory(work.resolve("target")).resolve("theseus.jar"), Program.jar());
      Files.createDirectory(work.resolve("cluster"));
      try (Stream<Path> files = Files.list(Path.of("cluster"))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.writeString(work.resolve(file.toString()), withFreePorts(Files.readString(file)));
        }
      }
      // what the reader has
      for (String directory : List.of("home/files", "photos/2026", "etc", "var/lib/theseus")) {
        Files.createDirectories(work.resolve(directory));
      }
      byte[] content = new byte[3_000_000];
      new Random(1).nextBytes(content);
      Files.write(work.resolve("big.iso"), content);
      Files.write(work.resolve("photos/2026/a.jpg"), Arrays.copyOf(content, 70_000));
      Files.write(work.resolve("photos/b c.jpg"), Arrays.copyOf(content, 10));
    }

    private void takeFreePorts() throws IOException {
      List<ServerSocket> held = new ArrayList<>();
      for (String port : PORTS) {
        ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        held.add(free);
        ports.put(port, Integer.toString(free.getLocalPort()));
      }
      for (ServerSocket each : held) {
        each.close();
      }
    }

    private String withFreePorts(String text) {
      String changed = text;
      for (Map.Entry<String, String> each : ports.entrySet()) {
        changed = changed.replaceAll("\\b" + each.getKey() + "\\b", each.getValue());
      }
      return changed;
    }

    private String asRunHere(String command) {
      String changed = SUDO.matcher(withFreePorts(command)).replaceAll("");
      changed = DEMO.matcher(changed).replaceAll("$0 --size 64M --rate 4M");
      for (Map.Entry<String, String> each : PLACES.entrySet()) {
        changed = changed.replace(each.getKey(), each.getValue());
      }
      return changed;
    }

    void run(Line line) throws IOException, InterruptedException {
      if (NODE.matcher(line.text()).find() && line.exit() == 0) {
        startNode(line);
      } else if (line.text().contains(" status")) {
        // a node that has just started needs its moment
        await().atMost(LONG).pollDelay(Duration.ZERO).untilAsserted(() -> once(line));
      } else {
        once(line);
      }
    }

    private void once(Line line) throws IOException, InterruptedException {
      Path out = output("out");
      Path err = output("err");
      Process process = start(line, out, err);
      boolean ended = process.waitFor(LONG.toSeconds(), TimeUnit.SECONDS);
      all(process).forEach(ProcessHandle::destroyForcibly);
      String said = Files.readString(out) + Files.readString(err);
      assertThat(ended).as("%s: ends: %s%n%s", line.where(), line.text(), said).isTrue();
      assertThat(process.exitValue())
          .as("%s: exit code of %s%n%s", line.where(), line.text(), said)
          .isEqualTo(line.exit());
      Matcher head = HEAD.matcher(line.text());
      if (head.find()) {
        // whose exit code says nothing of what stands before it
        assertThat(Files.readString(out))
            .as(line.where())
            .hasLineCount(Integer.parseInt(head.group(1)));
      }
      for (String expected : line.output()) {
        assertThat(said).as("%s: %s", line.where(), line.text()).contains(withFreePorts(expected));
      }
    }

    private void startNode(Line line) throws IOException, InterruptedException {
      boolean inCluster = line.text().contains("--config cluster/");
      for (Terminal each : List.copyOf(nodes)) {
        if (!(inCluster && each.inCluster())) {
          stop(each);
        }
      }
      Path out = output("out");
      Path err = output("err");
      Process process = start(line, out, err);
      nodes.add(new Terminal(line.where(), inCluster, process, out, err));
      await()
          .atMost(LONG)
          .until(
              () -> !process.isAlive() || Files.readString(out).contains("Stop it with Ctrl-C."));
      assertThat(process.isAlive())
          .as("%s: a node runs: %s%n%s", line.where(), line.text(), Files.readString(err))
          .isTrue();
    }

    private Process start(Line line, Path out, Path err) throws IOException {
      ProcessBuilder builder =
          new ProcessBuilder("bash", "-e", "-c", asRunHere(line.text()))
              .directory(work.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      Map<String, String> environment = builder.environment();
      environment.put("HOME", work.resolve("home").toString());
      environment.put("XDG_RUNTIME_DIR", work.resolve("runtime").toString());
      environment.put("XDG_STATE_HOME", work.resolve("state").toString());
      String java = System.getProperty("process.java", "");
      Path javaHome =
          java.isEmpty()
              ? Path.of(System.getProperty("java.home"))
              : Path.of(java).resolveSibling("..").normalize();
      environment.put("JAVA_HOME", javaHome.toString());
      environment.put("PATH", javaHome.resolve("bin") + ":" + environment.get("PATH"));
      environment.remove("THESEUS_JAVA_OPTS");
      // the ports that are in no page, the defaults
      environment.put("THESEUS_SERVER", "127.0.0.1:" + ports.get("7411"));
      String options = Program.startFast();
      if (!line.text().contains("--config cluster/")) {
        options +=
            " -Dtheseus.packets.port=%s -Dtheseus.cluster.port=%s -Dtheseus.packets.tls.port=%s"
                .formatted(ports.get("7411"), ports.get("25511"), ports.get("7421"));
      }
      environment.put("JDK_JAVA_OPTIONS", options);
      return builder.start();
    }

    private Path output(String kind) {
      return work.resolve("terminal-" + count++ + "." + kind);
    }

    void seeLogged(Line line) throws IOException {
      for (Terminal each : nodes) {
        logs.append(Files.readString(each.err()));
      }
      String expected = LOG_TIME.matcher(line.text()).replaceFirst("");
      assertThat(expected).as(line.where() + ": begins with a time").isNotEqualTo(line.text());
      assertThat(logs.toString().lines().map(each -> LOG_TIME.matcher(each).replaceFirst("")))
          .as(line.where() + ": a node logged it")
          .contains(expected);
    }

    void seeThatFilesCameBack() throws IOException {
      assertThat(work.resolve("copy.iso")).hasSameBinaryContentAs(work.resolve("big.iso"));
      for (String photo : List.of("2026/a.jpg", "b c.jpg")) {
        assertThat(work.resolve("album").resolve(photo))
            .hasSameBinaryContentAs(work.resolve("photos").resolve(photo));
      }
    }

    void stopNodes() throws IOException, InterruptedException {
      for (Terminal each : List.copyOf(nodes)) {
        stop(each);
      }
    }

    private void stop(Terminal node) throws IOException, InterruptedException {
      node.process().destroy(); // bash has become the node
      boolean ended = node.process().waitFor(LONG.toSeconds(), TimeUnit.SECONDS);
      String log = Files.readString(node.err());
      assertThat(ended).as("%s: the node stops%n%s", node.where(), log).isTrue();
      assertThat(node.process().exitValue()).as("%s: %s", node.where(), log).isEqualTo(SIGTERMED);
      nodes.remove(node);
      logs.append(log);
    }

    /** What bash has started, or has become; for a node with the processes that it runs. */
    private static Stream<ProcessHandle> all(Process process) {
      return Stream.concat(process.descendants(), Stream.of(process.toHandle()));
    }

    @Override
    public void close() {
      nodes.forEach(each -> all(each.process()).forEach(ProcessHandle::destroyForcibly));
    }
  }
}
