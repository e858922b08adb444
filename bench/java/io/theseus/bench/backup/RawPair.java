package io.theseus.bench.backup;

import io.theseus.bench.Lab;
import io.theseus.bench.LoadRun;
import io.theseus.bench.Pattern;
import io.theseus.testing.Content;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Our program in C that writes all it gets to two files, and hashes and syncs it: the least that
 * can be done for one copy. Of one case alone.
 */
final class RawPair implements Contender, AutoCloseable {
  static final String NAME = "raw";

  private final Lab lab;
  private final int port = Lab.freePort();
  private final List<Path> places;
  private final List<String> command;
  private final Process process;

  RawPair(Lab lab, BackupCase what) throws IOException {
    this.lab = lab;
    Path own = lab.directory().resolve(NAME).resolve(what.name());
    places =
        List.of(
            Files.createDirectories(own.resolve("first")),
            Files.createDirectories(own.resolve("second")));
    command =
        List.of(
            lab.tool("raw_receive"),
            "--port",
            Integer.toString(port),
            "--directory",
            places.get(0).toString(),
            "--second",
            places.get(1).toString(),
            "--name",
            "",
            "--size",
            Long.toString(what.bytes()));
    process = lab.serve(NAME, new ProcessBuilder(command));
    lab.await(NAME, process, () -> Lab.accepts(port));
  }

  /** The command line of our load client. */
  static List<String> load(Lab lab, String protocol, int port, BackupCase what, String prefix) {
    return List.of(
        lab.tool("load_put"),
        "--protocol",
        protocol,
        "--port",
        Integer.toString(port),
        "--connections",
        Integer.toString(what.connections()),
        "--files",
        Integer.toString(what.files()),
        "--size",
        Long.toString(what.bytes()),
        "--name",
        prefix);
  }

  /** Refuses other bytes than were sent. */
  static void same(String where, String found, String expected) throws IOException {
    if (!found.equals(expected)) {
      throw new IOException("%s: SHA-256 %s (expected: %s)".formatted(where, found, expected));
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public List<ProcessHandle> servers() {
    return List.of(process.toHandle());
  }

  @Override
  public LoadRun put(BackupCase what, String prefix) throws IOException {
    return LoadRun.parse(lab.load(load(lab, "raw", port, what, prefix)));
  }

  @Override
  public void check(BackupCase what, String prefix) throws IOException {
    for (int i = 0; i < what.files(); i++) {
      String expected = Pattern.sha256(i, what.bytes());
      for (Path place : places) {
        Path file = file(place, i);
        same(file.toString(), Content.sha256HexOf(file), expected);
      }
    }
  }

  @Override
  public void remove(BackupCase what, String prefix) throws IOException {
    for (int i = 0; i < what.files(); i++) {
      for (Path place : places) {
        Files.delete(file(place, i));
      }
    }
  }

  /** It hears of no names, only of numbers. */
  private static Path file(Path place, int index) {
    return place.resolve(BackupCase.fileName("", index));
  }

  @Override
  public String load(BackupCase what) {
    return lab.shownLoad(load(lab, "raw", port, what, ""));
  }

  /** Its command line, for people. */
  String started() {
    return lab.shownServer(command);
  }

  @Override
  public void close() {
    lab.end(process);
  }
}
