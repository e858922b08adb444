package io.theseus.bench.transfer;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;

/**
 * What a load client says at its end.
 *
 * @param files that were moved whole
 * @param bytes of their content
 * @param seconds from the first request to the last answer
 */
record LoadRun(long files, long bytes, double seconds) {
  private static final ObjectMapper JSON = new ObjectMapper();

  static LoadRun parse(String json) throws IOException {
    return JSON.readValue(json, LoadRun.class);
  }
}
