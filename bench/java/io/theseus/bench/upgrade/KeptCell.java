package io.theseus.bench.upgrade;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.theseus.bench.BenchResults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A cell that was measured, on disk beside its traces: a run that was interrupted goes on behind
 * it.
 */
record KeptCell(Setup setup, CellRun.Result result) {
  /**
   * How cells are measured.
   *
   * @param windows of each kind
   * @param acts before the first of them
   * @param java options of the node's Java
   */
  record Setup(int windows, int acts, long seed, List<String> java) {
    Setup {
      java = List.copyOf(java);
    }
  }

  private static final String NAME = "measured.json";

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .addModule(new JavaTimeModule())
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  /**
   * Of a directory of traces; empty where none was measured to the end, or in another way.
   *
   * @param cell as it is wanted; one that was measured may have had to be slower
   */
  static Optional<CellRun.Result> read(Path directory, Cell cell, Setup setup) throws IOException {
    Path file = directory.resolve(NAME);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    KeptCell kept;
    try {
      kept = JSON.readValue(file.toFile(), KeptCell.class);
    } catch (JsonProcessingException e) {
      throw new IOException(
          file
              + ": "
              + e.getOriginalMessage()
              + " (expected: as this version of the benchmark writes it; remove it, and the cell is"
              + " measured again)",
          e);
    }
    return kept.setup.equals(setup) && kept.result.cell().connections() == cell.connections()
        ? Optional.of(kept.result)
        : Optional.empty();
  }

  void write(Path directory) throws IOException {
    BenchResults.replace(directory.resolve(NAME), JSON.writeValueAsString(this));
  }
}
