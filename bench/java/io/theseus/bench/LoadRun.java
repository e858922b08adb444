package io.theseus.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;

/**
 * What a load client says at its end.
 *
 * @param files that were moved whole
 * @param bytes of their content
 * @param seconds from the first request to the last answer
 */
public record LoadRun(long files, long bytes, double seconds) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Reads what it printed. */
  public static LoadRun parse(String json) throws IOException {
    return JSON.readValue(json, LoadRun.class);
  }
}
