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
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Messages and the state on disk as JSON, each with the version of its format. What is not exactly
 * what {@link #encode} writes is refused: unknown, missing, repeated and mistyped fields, and
 * values that the records refuse.
 */
final class Codec {
  static final int VERSION = 1;

  private static final int PRACTICE = 20;

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

  /** What is around a request. */
  private record RequestFrame(int version, ActRequest request) {}

  /** What is around an answer. */
  private record AnswerFrame(int version, ActAnswer answer) {}

  /** What is around the progress of nodes. */
  private record ProgressFrame(int version, Map<String, String> nodes) {}

  /** What is around the state on disk. */
  private record StateFrame(int version, AgentState state) {}

  private Codec() {}

  static String encode(Message message) {
    return text(new MessageFrame(VERSION, message));
  }

  static String encode(ActRequest request) {
    return text(new RequestFrame(VERSION, request));
  }

  static String encode(ActAnswer answer) {
    return text(new AnswerFrame(VERSION, answer));
  }

  static String encode(Map<String, String> progress) {
    return text(new ProgressFrame(VERSION, progress));
  }

  static byte[] encode(AgentState state) {
    return bytes(new StateFrame(VERSION, state));
  }

  /**
   * A message.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static Message message(String json) {
    MessageFrame frame = value(json.getBytes(StandardCharsets.UTF_8), MessageFrame.class);
    checkVersion(frame.version());
    return required(frame.message(), "message");
  }

  /**
   * A request.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static ActRequest request(String json) {
    RequestFrame frame = value(json.getBytes(StandardCharsets.UTF_8), RequestFrame.class);
    checkVersion(frame.version());
    return required(frame.request(), "request");
  }

  /**
   * An answer.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static ActAnswer answer(String json) {
    AnswerFrame frame = value(json.getBytes(StandardCharsets.UTF_8), AnswerFrame.class);
    checkVersion(frame.version());
    return required(frame.answer(), "answer");
  }

  /**
   * How far each node is.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static Map<String, String> progress(String json) {
    ProgressFrame frame = value(json.getBytes(StandardCharsets.UTF_8), ProgressFrame.class);
    checkVersion(frame.version());
    return required(frame.nodes(), "nodes");
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

  /**
   * Writes and reads what an act does: at the sixteenth time the JVM makes code of its own for each
   * field, which is to be done before a switch, not in the middle of it.
   */
  static void practise() {
    RevisionId next = new RevisionId("0".repeat(64), "practice");
    RevisionId base = NodeRevisions.builtIn();
    ActRequest request =
        new ActRequest(
            "practice",
            "nobody",
            /* atMillis= */ 0,
            new Act.Upgrade(next, base, new Act.Share(/* session= */ null, /* percent= */ 1)),
            Set.of(),
            /* watchMillis= */ 0);
    Term term = new Term(1, "practice", 1);
    try {
      ClusterState state = ClusterState.initial(base).found(Map.of("practice", 1L));
      ClusterState begun = state.begin(request, Set.of("practice"));
      ClusterState confirmed = begun.switchOver().confirm();
      for (int i = 0; i < PRACTICE; i++) {
        for (ClusterState each : List.of(begun, confirmed)) {
          AgentState written = AgentState.fresh(1, base).accepting(term, each).deciding();
          var read = agentState(encode(written));
          var heard =
              message(encode(new Message.Accept(term, read.decided(), /* askedNanos= */ 0)));
          if (!read.equals(written) || heard == null) {
            throw new IllegalStateException(written + " was read as " + read);
          }
        }
      }
    } catch (RefusedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(Object frame) {
    return new String(bytes(frame), StandardCharsets.UTF_8);
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
