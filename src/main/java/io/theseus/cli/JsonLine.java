package io.theseus.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One JSON object on one line, its members in the order in which they were put. */
final class JsonLine {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Map<String, @Nullable Object> members = new LinkedHashMap<>();

  /** Adds a text, number, truth value or list; null is written as such. */
  JsonLine put(String name, @Nullable Object value) {
    members.put(name, value);
    return this;
  }

  /** Adds a value, or null where there is none: a reader finds each member always. */
  JsonLine put(String name, Optional<?> value) {
    return put(name, value.map(present -> (Object) present.toString()).orElse(null));
  }

  /** Adds a number, or null where there is none. */
  JsonLine put(String name, OptionalLong value) {
    return put(name, value.isPresent() ? (Object) value.getAsLong() : null);
  }

  /** Adds a time in seconds. */
  JsonLine seconds(String name, Duration value) {
    return put(name, value.toMillis() / 1000.0);
  }

  /** Adds what a failure is. */
  JsonLine failure(Failure failure) {
    put("exitCode", failure.exit().number());
    put("failure", failure.exit().label());
    put("code", failure.code().map(code -> (Object) code.label()).orElse(null));
    put("message", failure.message());
    return put("advice", failure.advice().isEmpty() ? null : failure.advice());
  }

  @Override
  public String toString() {
    try {
      return MAPPER.writeValueAsString(members);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("members of a JSON line: " + members, e);
    }
  }
}
