package io.theseus.admin.jmx;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.theseus.admin.Operations;
import java.util.List;
import java.util.Map;

/**
 * Answers of {@link Operations} as JSON: one object each, whose members are named as those of the
 * record. Members are only ever added.
 */
final class Json {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  /** The answer of {@code history}. */
  record Acts(List<Operations.ActView> acts) {}

  /** The answer of {@code revisions}. */
  record Revisions(List<Operations.RevisionView> revisions) {}

  /** The answer of {@code kill}. */
  record Killed(String node) {}

  /** The answer of {@code accept} and {@code openRegistration}, and of their opposites. */
  record Accepted(Map<String, String> nodes) {}

  /** The answer of {@code verify} and {@code verification}. */
  record Readings(List<Operations.Verification> nodes) {}

  private Json() {}

  static String write(Object answer) {
    try {
      return MAPPER.writeValueAsString(answer);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads what {@link #write} wrote, here or in another version.
   *
   * @throws IllegalArgumentException when it is something else
   */
  static <T> T read(String json, Class<T> type) {
    try {
      return MAPPER.readValue(json, type);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "not the JSON of " + type.getSimpleName() + ": " + e.getOriginalMessage(), e);
    }
  }
}
