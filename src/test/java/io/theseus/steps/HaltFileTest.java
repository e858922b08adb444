package io.theseus.steps;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HaltFileTest {
  private final List<String> passed = new ArrayList<>();

  @Test
  void shouldDoWhatTheFileSaysAtTheMoment(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("halt");
    Steps steps = new HaltFile(file, setting -> name -> passed.add(setting + "/" + name));

    steps.at("one");
    assertThat(passed).isEmpty();
    Files.writeString(file, "two:2\n");
    steps.at("two");
    Files.writeString(file, "");
    steps.at("three");

    assertThat(passed).containsExactly("two:2/two", "/three");
  }

  @Test
  void shouldCountFromTheMomentWhenTheFileSaysIt(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("halt"), "one:2");
    int[] made = new int[1];
    Steps steps =
        new HaltFile(
            file,
            setting -> {
              made[0]++;
              return Steps.NONE;
            });

    steps.at("one");
    steps.at("one");
    assertThat(made[0]).as("counters for one setting").isEqualTo(1);
    Files.writeString(file, "one:3");
    steps.at("one");
    assertThat(made[0]).as("counters for two settings").isEqualTo(2);
  }
}
