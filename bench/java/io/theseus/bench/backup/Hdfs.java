package io.theseus.bench.backup;

import io.theseus.bench.Lab;
import io.theseus.bench.LoadRun;
import io.theseus.bench.Pattern;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * HDFS: a NameNode, two DataNodes and its own client, a process each, from Maven Central's Hadoop,
 * which stays in a class path of its own. Both DataNodes have all bytes.
 */
final class Hdfs implements Contender, AutoCloseable {
  static final String NAME = "hdfs";

  private static final Path HOME = Path.of("bench/hdfs");
  private static final String PACKAGE = "org.apache.hadoop.hdfs.server.";
  private static final int REPLICAS = 2;

  private final Lab lab;
  private final Path classPath;
  private final int port = Lab.freePort();
  private final List<Process> servers = new ArrayList<>();
  private final List<String> started = new ArrayList<>();
  private final List<String> asking;
  private final Process client;
  private final BufferedWriter questions;
  private final BufferedReader answers;

  /** Starts it, and waits until both DataNodes are there. */
  Hdfs(Lab lab) throws IOException {
    this.lab = lab;
    classPath = classPath(lab);
    var unused =
        lab.load(java("namenode", PACKAGE + "namenode.NameNode", "-format", "-nonInteractive"));
    serve("namenode", PACKAGE + "namenode.NameNode");
    for (int i = 1; i <= REPLICAS; i++) {
      serve("datanode" + i, PACKAGE + "datanode.DataNode");
    }
    lab.await("namenode", servers.get(0), () -> Lab.accepts(port));
    asking = java("client", HOME.resolve("HdfsClient.java").toString());
    client = lab.startLoad(asking);
    questions = client.outputWriter(StandardCharsets.UTF_8);
    answers = client.inputReader(StandardCharsets.UTF_8);
    while (!ask("nodes").equals(Integer.toString(REPLICAS))) {
      Lab.pause();
    }
  }

  /** Options of Java: Hadoop as Maven resolves it, and our bench's classes for its client. */
  private static Path classPath(Lab lab) throws IOException {
    Path resolved = lab.directory().resolve("hdfs-resolved");
    var unused =
        lab.load(
            List.of(
                "mvn",
                "-B",
                "-ntp",
                "-q",
                "-f",
                HOME.resolve("pom.xml").toString(),
                "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath",
                "-Dmdep.outputFile=" + resolved));
    Path pages = lab.directory().resolve("hdfs-pages");
    for (String server : List.of("hdfs", "datanode", "static")) {
      // it does not start without its web pages, which are not in the jar
      Files.createDirectories(pages.resolve("webapps").resolve(server));
    }
    String ours = Pattern.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    return Files.writeString(
        lab.directory().resolve("hdfs-classpath"),
        "-cp "
            + String.join(
                File.pathSeparator,
                HOME.toString(),
                pages.toString(),
                Files.readString(resolved).strip(),
                ours));
  }

  private List<String> java(String name, String... arguments) throws IOException {
    Path own = Files.createDirectories(lab.directory().resolve(NAME).resolve(name));
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "-Dbench.port=" + port,
                "-Dbench.directory=" + own,
                "@" + classPath));
    command.addAll(List.of(arguments));
    return command;
  }

  private void serve(String name, String main) throws IOException {
    List<String> command = java(name, main);
    started.add(lab.shownServer(command));
    servers.add(lab.serve(name, new ProcessBuilder(command)));
  }

  private String ask(String question) throws IOException {
    questions.write(question);
    questions.newLine();
    questions.flush();
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException(
          question
              + ": the client of HDFS has ended (expected: an answer); the NameNode said:\n"
              + Files.readString(lab.log("namenode")));
    }
    return answer;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public List<ProcessHandle> servers() {
    return servers.stream().map(Process::toHandle).toList();
  }

  @Override
  public LoadRun put(BackupCase what, String prefix) throws IOException {
    return LoadRun.parse(ask(putting(what, prefix)));
  }

  private static String putting(BackupCase what, String prefix) {
    return "put /%s %d %d %d".formatted(prefix, what.connections(), what.files(), what.bytes());
  }

  @Override
  public void check(BackupCase what, String prefix) throws IOException {
    for (int i = 0; i < what.files(); i++) {
      String name = BackupCase.fileName(prefix, i);
      Raw.same(
          NAME + "/" + name + ", replicas and",
          ask("check /" + name),
          REPLICAS + " " + Pattern.sha256(i, what.bytes()));
    }
  }

  @Override
  public void remove(BackupCase what, String prefix) throws IOException {
    for (int i = 0; i < what.files(); i++) {
      var unused = ask("remove /" + BackupCase.fileName(prefix, i));
    }
  }

  @Override
  public String load(BackupCase what) {
    return lab.shownLoad(asking) + "  # told: " + putting(what, "");
  }

  /** The command lines of the servers, for people. */
  List<String> started() {
    return List.copyOf(started);
  }

  @Override
  public void close() {
    lab.end(client);
    servers.forEach(lab::end);
  }
}
