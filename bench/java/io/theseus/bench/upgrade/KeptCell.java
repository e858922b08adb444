package io.theseus.bench.upgrade;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.theseus.bench.BenchResults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A cell that was measured, on disk beside its traces: a run that was interrupted goes on behind
 * it.
 *
 * @param windows of each kind
 * @param acts before the first of them
 */
record KeptCell(int windows, int acts, long seed, CellRun.Result result) {
  private static final String NAME = "measured.json";

  private static final ObjectMapper JSON =
      JsonMapper.builder().addModule(new JavaTimeModule()).build();

  /**
   * Of a directory of traces; empty where none was measured to the end, or in another way.
   *
   * @param cell as it is wanted; one that was measured may have had to be slower
   */
  static Optional<CellRun.Result> read(Path directory, Cell cell, int windows, int acts, long seed)
      throws IOException {
    Path file = directory.resolve(NAME);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    KeptCell kept = JSON.readValue(file.toFile(), KeptCell.class);
    boolean same = kept.windows == windows && kept.acts == acts && kept.seed == seed;
    return same && kept.result.cell().connections() == cell.connections()
        ? Optional.of(kept.result)
        : Optional.empty();
  }

  void write(Path directory) throws IOException {
    BenchResults.replace(directory.resolve(NAME), JSON.writeValueAsString(this));
  }
}
