package io.theseus.upgrade;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;

/**
 * Messages and the state on disk as JSON, each with the version of its format. What is not exactly
 * what {@link #encode} writes is refused: unknown, missing, repeated and mistyped fields, and
 * values that the records refuse.
 */
final class Codec {
  static final int VERSION = 1;

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .visibility(PropertyAccessor.IS_GETTER, Visibility.NONE)
          .build();

  /** What is around a message. */
  private record MessageFrame(int version, Message message) {}

  /** What is around the state on disk. */
  private record StateFrame(int version, AgentState state) {}

  private Codec() {}

  static byte[] encode(Message message) {
    return bytes(new MessageFrame(VERSION, message));
  }

  static byte[] encode(AgentState state) {
    return bytes(new StateFrame(VERSION, state));
  }

  /**
   * A message.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static Message message(byte[] bytes) {
    MessageFrame frame = value(bytes, MessageFrame.class);
    checkVersion(frame.version());
    return required(frame.message(), "message");
  }

  /**
   * A state on disk.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static AgentState agentState(byte[] bytes) {
    StateFrame frame = value(bytes, StateFrame.class);
    checkVersion(frame.version());
    return required(frame.state(), "state");
  }

  private static byte[] bytes(Object frame) {
    try {
      return JSON.writeValueAsBytes(frame);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <T> T value(byte[] bytes, Class<T> type) {
    try {
      return required(JSON.readValue(bytes, type), "frame");
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("malformed: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new IllegalArgumentException("malformed: " + e.getMessage(), e);
    }
  }

  private static <T> T required(T value, String what) {
    if (Objects.isNull(value)) {
      throw new IllegalArgumentException(what + ": null (expected: one)");
    }
    return value;
  }

  private static void checkVersion(int version) {
    if (version != VERSION) {
      throw new IllegalArgumentException("version: " + version + " (expected: " + VERSION + ")");
    }
  }
}
