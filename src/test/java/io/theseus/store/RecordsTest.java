package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.steps.Steps;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is remembered of completed uploads, across kills and for its time. */
class RecordsTest {
  private final StoreFixture.HandClock clock = new StoreFixture.HandClock();
  private Path directory;

  @BeforeEach
  void open(@TempDir Path temporary) {
    directory = temporary;
  }

  private Records reopen() throws IOException {
    return Records.open(directory, clock, Steps.NONE);
  }

  private Records.Entry entry(int i) {
    return new Records.Entry(
        Records.State.DONE,
        clock.instant().plus(Duration.ofHours(1)),
        new Completed(
            new UUID(0, i),
            new FileName("a name/of " + i + " ü"),
            i,
            "id-" + i,
            i % 2 == 0 ? Optional.empty() : Optional.of("0".repeat(64))));
  }

  @Test
  void shouldDropATornTailAtEveryByteAndNothingElse() throws IOException {
    Path file = directory.resolve("completed");
    long whole;
    try (Records records = reopen()) {
      records.persist(entry(1));
      records.persist(entry(2));
      whole = Files.size(file);
      records.persist(entry(3));
    }
    byte[] all = Files.readAllBytes(file);
    for (int length = (int) whole; length <= all.length; length++) {
      Files.write(file, Arrays.copyOf(all, length));
      try (Records records = reopen()) {
        assertThat(records.find(new UUID(0, 1))).contains(entry(1));
        assertThat(records.find(new UUID(0, 2))).contains(entry(2));
        assertThat(records.find(new UUID(0, 3)).isPresent()).isEqualTo(length == all.length);
        // and goes on behind what is sound
        records.persist(entry(4));
      }
      try (Records records = reopen()) {
        assertThat(records.find(new UUID(0, 2))).contains(entry(2));
        assertThat(records.find(new UUID(0, 4))).contains(entry(4));
      }
    }
  }

  @Test
  void shouldDropATailOfZeros() throws IOException {
    Path file = directory.resolve("completed");
    try (Records records = reopen()) {
      records.persist(entry(1));
    }
    Files.write(file, new byte[4096], StandardOpenOption.APPEND);
    try (Records records = reopen()) {
      assertThat(records.find(new UUID(0, 1))).contains(entry(1));
    }
  }

  @Test
  void shouldRefuseACorruptMiddle() throws IOException {
    Path file = directory.resolve("completed");
    try (Records records = reopen()) {
      for (int i = 1; i <= 3; i++) {
        records.persist(entry(i));
      }
    }
    List<String> lines = new ArrayList<>(Files.readAllLines(file));
    lines.set(1, lines.get(1).replace("id-2", "id-7"));
    Files.write(file, lines);

    assertThatThrownBy(this::reopen)
        .isInstanceOf(IOException.class)
        .hasMessage(
            file
                + ": line 2 is damaged (expected: its checksum; remove the line, and resumed uploads"
                + " that it named are not answered again)");
  }

  @Test
  void shouldForgetWhatIsOverAndStaySmall() throws IOException {
    Path file = directory.resolve("completed");
    try (Records records = reopen()) {
      for (int i = 0; i < 200; i++) {
        records.persist(entry(i));
      }
      assertThat(records.find(new UUID(0, 7))).isPresent();
      clock.advance(Duration.ofHours(2));
      assertThat(records.find(new UUID(0, 7))).isEmpty();
      records.persist(entry(1000));
    }
    try (Records records = reopen()) {
      assertThat(Files.readAllLines(file)).hasSize(1);
      assertThat(records.find(new UUID(0, 1000))).isPresent();
    }
  }

  @Test
  void shouldHoldInMemoryOnlyWhatIsNotOver() throws IOException {
    try (Records records = reopen()) {
      for (int i = 0; i < 10; i++) {
        records.persist(entry(i));
      }
      clock.advance(Duration.ofMinutes(30));
      records.persist(entry(0)); // again, so it stays longer than those behind it
      records.persist(entry(10));
      assertThat(records.size()).isEqualTo(11);
      clock.advance(Duration.ofMinutes(31));
      records.persist(entry(11));
      assertThat(records.size()).isEqualTo(3);
      assertThat(records.find(new UUID(0, 0))).isPresent();
    }
  }

  @Test
  void shouldTakeTheLastWordOnASession() throws IOException {
    Completed completed = entry(1).completed();
    try (Records records = reopen()) {
      records.persist(new Records.Entry(Records.State.INTENT, entry(1).until(), completed));
      assertThat(records.find(new UUID(0, 1))).isPresent();
      records.persist(new Records.Entry(Records.State.VOID, entry(1).until(), completed));
      assertThat(records.find(new UUID(0, 1))).isEmpty();
    }
    try (Records records = reopen()) {
      assertThat(records.find(new UUID(0, 1))).isEmpty();
    }
  }

  @Test
  void shouldRememberFromManyThreadsWhileItIsWrittenAnew() throws Exception {
    try (Records records = Records.open(directory, clock, Steps.NONE, 4000)) {
      List<CompletableFuture<Void>> threads = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        int thread = t;
        threads.add(
            CompletableFuture.runAsync(
                () -> {
                  try {
                    for (int i = 0; i < 50; i++) {
                      records.persist(entry(thread * 50 + i));
                    }
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                }));
      }
      threads.forEach(CompletableFuture::join);
    }
    try (Records records = reopen()) {
      for (int i = 0; i < 400; i++) {
        assertThat(records.find(new UUID(0, i))).contains(entry(i));
      }
    }
  }
}
