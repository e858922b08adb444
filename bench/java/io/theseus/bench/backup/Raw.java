package io.theseus.bench.backup;

import io.theseus.bench.Lab;
import io.theseus.bench.LoadRun;
import io.theseus.bench.Pattern;
import io.theseus.testing.Content;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Our program in C that does the least that can be done for one copy: hashes, writes to two files,
 * syncs both. Alone, or as two processes, of which the second gets the bytes from the first. Of one
 * case alone.
 */
final class Raw implements Contender, AutoCloseable {
  static final String PAIR = "raw";
  static final String CHAIN = "raw-chain";

  private final Lab lab;
  private final String name;
  private final List<Path> places;
  private final List<List<String>> commands = new ArrayList<>();
  private final List<Process> processes = new ArrayList<>();
  private int port;

  private Raw(Lab lab, String name, BackupCase what) throws IOException {
    this.lab = lab;
    this.name = name;
    Path own = lab.directory().resolve(name).resolve(what.name());
    places =
        List.of(
            Files.createDirectories(own.resolve("first")),
            Files.createDirectories(own.resolve("second")));
  }

  /** One process that writes all to two files. */
  static Raw pair(Lab lab, BackupCase what) throws IOException {
    Raw raw = new Raw(lab, PAIR, what);
    raw.start(what, raw.places.get(0), List.of("--second", raw.places.get(1).toString()));
    return raw;
  }

  /** Two processes, a file each; the first sends on from its file what it has written. */
  static Raw chain(Lab lab, BackupCase what) throws IOException {
    Raw raw = new Raw(lab, CHAIN, what);
    raw.start(what, raw.places.get(1), List.of("--tell", "1"));
    raw.start(what, raw.places.get(0), List.of("--next", Integer.toString(raw.port)));
    return raw;
  }

  private void start(BackupCase what, Path place, List<String> how) throws IOException {
    int own = Lab.freePort();
    List<String> command =
        new ArrayList<>(
            List.of(
                lab.tool("raw_receive"),
                "--port",
                Integer.toString(own),
                "--directory",
                place.toString(),
                "--name",
                "",
                "--size",
                Long.toString(what.bytes())));
    command.addAll(how);
    Process process = lab.serve(name, new ProcessBuilder(command));
    processes.add(process);
    lab.await(name, process, () -> Lab.accepts(own));
    commands.add(command);
    port = own;
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
    return name;
  }

  @Override
  public boolean warmsUp() {
    return false;
  }

  @Override
  public List<ProcessHandle> servers() {
    return processes.stream().map(Process::toHandle).toList();
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

  /** Its command lines, for people. */
  List<String> started() {
    return commands.stream().map(lab::shownServer).toList();
  }

  @Override
  public void close() {
    processes.forEach(lab::end);
  }
}
