package io.theseus.journal;

import io.theseus.journal.JournalSettings.Engine;
import io.theseus.steps.Steps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A process of its own that opens a journal and writes 40 events, or is killed on the way. */
final class JournalProcess {
  static final String ID = "session";
  static final int REFUSED = 3;
  private static final int EVENTS = 40;

  private JournalProcess() {}

  record Result(int exitCode, String output) {}

  /**
   * Runs one to its end.
   *
   * @param haltAt kill point and count, as {@link Steps#haltingAt} takes it; empty for none
   */
  static Result run(Path directory, Engine engine, String haltAt) {
    return run(directory, engine, haltAt, Path.of(System.getProperty("java.io.tmpdir")));
  }

  static Result run(Path directory, Engine engine, String haltAt, Path temporary) {
    try {
      Process process =
          new ProcessBuilder(
                  List.of(
                      Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                      "-Djava.io.tmpdir=" + temporary,
                      "-cp",
                      System.getProperty("java.class.path"),
                      JournalProcess.class.getName(),
                      directory.toString(),
                      engine.name(),
                      haltAt))
              .redirectErrorStream(true)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      return new Result(process.waitFor(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public static void main(String[] args) {
    JournalSettings settings = TestJournals.settings(Path.of(args[0]), Engine.valueOf(args[1]));
    try (Database database = Database.open(settings, Steps.haltingAt(args[2]))) {
      for (long number = 1; number <= EVENTS; number++) {
        TestJournals.persist(database, ID, number).join();
        System.out.println("acknowledged " + number);
      }
    } catch (JournalException e) {
      System.out.println(e.getMessage());
      System.exit(REFUSED);
    }
  }
}
