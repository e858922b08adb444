package io.theseus.bench.backup;

import io.theseus.backup.CopyEnd;
import io.theseus.bench.Lab;
import io.theseus.bench.LoadRun;
import io.theseus.bench.Pattern;
import io.theseus.testing.Content;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Two processes that are one cluster, of which one copies the files of the other one. */
final class CopyPair implements Contender, AutoCloseable {
  private final Lab lab;
  private final String name;
  private final List<String> started = new ArrayList<>();
  private final Process takes;
  private final Process gives;
  private final BufferedWriter questions;
  private final BufferedReader answers;

  /**
   * Starts them.
   *
   * @param way {@code pull}: over the data plane between nodes; {@code pieces}: as messages
   * @param pieceBytes of each message
   */
  CopyPair(Lab lab, String name, String way, int pieceBytes) throws IOException {
    this.lab = lab;
    this.name = name;
    List<String> arguments =
        List.of(
            Integer.toString(Lab.freePort()),
            Integer.toString(Lab.freePort()),
            way,
            Integer.toString(pieceBytes));
    takes =
        lab.serve(name + "-" + CopyEnd.TAKES, new ProcessBuilder(java(CopyEnd.TAKES, arguments)));
    gives = lab.startLoad(java(CopyEnd.GIVES, arguments));
    questions = gives.outputWriter(StandardCharsets.UTF_8);
    answers = gives.inputReader(StandardCharsets.UTF_8);
  }

  /** As ./theseus starts a node, from this program's class path. */
  private List<String> java(String role, List<String> arguments) throws IOException {
    Path classPath = lab.directory().resolve("classpath");
    if (!Files.exists(classPath)) {
      Files.writeString(classPath, "-cp \"" + System.getProperty("java.class.path") + "\"");
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(Lab.nodeOptions());
    for (String opened : List.of("sun.nio.ch", "java.io", "java.nio")) {
      command.add("--add-opens=java.base/" + opened + "=ALL-UNNAMED");
    }
    command.add("-Dio.netty.tryReflectionSetAccessible=true");
    command.addAll(Heartbeats.options(beats(role)));
    command.add("@" + classPath);
    command.addAll(List.of(CopyEnd.class.getName(), role, directory(role).toString()));
    command.addAll(arguments);
    started.add(lab.shown(String.join(" ", command)));
    return command;
  }

  private Path directory(String role) {
    return lab.directory().resolve(name + "-" + role);
  }

  private Path beats(String role) {
    return lab.directory().resolve(name + "-" + role + ".heartbeats");
  }

  /** The answer, which is empty where it was done and there is nothing to say. */
  private String ask(String question) throws IOException {
    questions.write(question);
    questions.newLine();
    questions.flush();
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException(
          "%s, %s: ended (expected: an answer); the other end said:%n%s"
              .formatted(name, question, Files.readString(lab.log(name + "-" + CopyEnd.TAKES))));
    }
    return answer;
  }

  private void order(String what) throws IOException {
    String failure = ask(what);
    if (!failure.isEmpty()) {
      throw new IOException(name + ", " + what + ": " + failure);
    }
  }

  private static String staging(BackupCase what) {
    return "stage " + what.files() + " " + what.bytes();
  }

  /** The files of a case are there, to be copied. */
  void stage(BackupCase what) throws IOException {
    order(staging(what));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<ProcessHandle> servers() {
    return List.of(gives.toHandle(), takes.toHandle());
  }

  @Override
  public LoadRun put(BackupCase what, String prefix) throws IOException {
    String answer = ask("copy");
    if (!answer.startsWith("{")) {
      throw new IOException(name + ", copy: " + answer);
    }
    return LoadRun.parse(answer);
  }

  @Override
  public void check(BackupCase what, String prefix) throws IOException {
    for (int i = 0; i < what.files(); i++) {
      Path file = copy(CopyEnd.session(i));
      Raw.same(file.toString(), Content.sha256HexOf(file), Pattern.sha256(i, what.bytes()));
    }
  }

  /** Staged under a name that has the session's in it. */
  private Path copy(String session) throws IOException {
    try (Stream<Path> all = Files.walk(directory(CopyEnd.TAKES))) {
      return all.filter(Files::isRegularFile)
          .filter(file -> file.getFileName().toString().contains(session))
          .findAny()
          .orElseThrow(() -> new IOException(name + ": no copy of session " + session));
    }
  }

  @Override
  public void remove(BackupCase what, String prefix) throws IOException {
    order("remove");
  }

  @Override
  public String load(BackupCase what) {
    return "# " + name + " is told: " + staging(what) + "; for each run: copy; remove";
  }

  /** Their command lines, for people. */
  List<String> started() {
    return List.copyOf(started);
  }

  /** All heartbeats up to now, of both. */
  List<Beat> heartbeats() throws IOException {
    List<Beat> all = new ArrayList<>();
    for (String role : List.of(CopyEnd.GIVES, CopyEnd.TAKES)) {
      all.addAll(Beat.read(name + "-" + role, beats(role)));
    }
    return all;
  }

  @Override
  public void close() {
    lab.end(gives);
    lab.end(takes);
  }
}
