package io.theseus.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.javadsl.Adapter;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import akka.serialization.Serializer;
import akka.serialization.Serializers;
import com.typesafe.config.ConfigFactory;
import io.theseus.channel.Direction;
import io.theseus.session.SessionEvent.Begun;
import io.theseus.session.SessionEvent.Checkpointed;
import io.theseus.session.SessionEvent.Ended;
import io.theseus.session.SessionEvent.Paused;
import io.theseus.session.SessionEvent.RevisionChanged;
import io.theseus.wire.Epoch;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the journal keeps of a session: the state that events make, and their way over bytes. */
final class SessionActorTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create(
          "serialization",
          ConfigFactory.parseString("akka.actor.provider = local, akka.loglevel = WARNING")
              .withFallback(ConfigFactory.load()));

  private static final Facts PUT =
      new Facts(
          Direction.PUT,
          "a/ü \u202e name",
          OptionalLong.of(1L << 62),
          Optional.empty(),
          /* stream= */ false,
          Optional.of("ab".repeat(32)),
          Optional.of("none"),
          Optional.of(Instant.parse("2026-11-21T16:00:00.123456789Z")),
          Optional.of("elsewhere"));

  private static final Facts GET =
      new Facts(
          Direction.GET,
          "b",
          OptionalLong.empty(),
          Optional.of("identity"),
          /* stream= */ true,
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  @AfterAll
  static void shutDown() {
    KIT.shutdownTestKit();
  }

  static Stream<Object> kept() {
    return Stream.of(
        new Begun(PUT, "standard@1.0.0", 8L << 20),
        new Begun(GET, "standard@1.0.0", 0),
        new Checkpointed(Long.MAX_VALUE),
        new Paused(17),
        new RevisionChanged("other@2.0.0"),
        new SessionEvent.Altered(),
        new SessionEvent.Copied(Epoch.first("node1"), List.of("node2", "node3")),
        new SessionEvent.Committing("0000000000000001@node1", 1L << 40),
        new Ended("complete"),
        SessionState.NONE,
        new SessionState(
            PUT,
            "standard@1.0.0",
            5,
            /* paused= */ true,
            /* altered= */ true,
            Epoch.first("node1").next("node2"),
            List.of("node3"),
            "0000000000000001@node1"),
        new SessionState(
            GET,
            "standard@1.0.0",
            0,
            /* paused= */ false,
            /* altered= */ false,
            null,
            List.of(),
            null));
  }

  @ParameterizedTest
  @MethodSource("kept")
  void shouldComeBackEqualFromBytes(Object kept) {
    Serialization serialization = SerializationExtension.get(Adapter.toClassic(KIT.system()));
    Serializer serializer = serialization.findSerializerFor(kept);
    assertThat(serializer.getClass().getName()).contains("JacksonCbor");
    byte[] bytes = serialization.serialize(kept).get();
    Object back =
        serialization
            .deserialize(bytes, serializer.identifier(), Serializers.manifestFor(serializer, kept))
            .get();
    assertThat(back).isEqualTo(kept).hasSameClassAs(kept);
  }

  @Test
  void shouldHaveARoundTripForEachEvent() {
    assertThat(kept().filter(SessionEvent.class::isInstance).map(Object::getClass).distinct())
        .containsExactlyInAnyOrder(SessionEvent.class.getPermittedSubclasses());
  }

  /** A class that nobody put on the list. */
  private record NotOnTheList(String text) implements java.io.Serializable {
    private static final long serialVersionUID = 1;
  }

  @Test
  void shouldRefuseWhatIsNotOnTheList() {
    Serialization serialization = SerializationExtension.get(Adapter.toClassic(KIT.system()));
    assertThatThrownBy(() -> serialization.serialize(new NotOnTheList("x")).get())
        .hasMessageStartingWith("Attempted to serialize message using Java serialization")
        .hasMessageContaining("was disabled");
  }

  @Test
  void shouldRefuseToReadAClassThatIsNotOnTheList() {
    Serialization serialization = SerializationExtension.get(Adapter.toClassic(KIT.system()));
    SessionEvent event = new Paused(1);
    Serializer serializer = serialization.findSerializerFor(event);
    byte[] bytes = serialization.serialize(event).get();
    assertThatThrownBy(
            () ->
                serialization
                    .deserialize(bytes, serializer.identifier(), "javax.script.ScriptEngineManager")
                    .get())
        .hasMessageContaining("javax.script.ScriptEngineManager");
  }

  @Test
  void shouldBeWhatItsEventsMadeOfIt() {
    SessionState state = SessionState.NONE;
    for (SessionEvent event :
        List.of(
            new Begun(PUT, "standard@1.0.0", 1),
            new Checkpointed(2),
            new Paused(2),
            new SessionEvent.Altered(),
            new SessionEvent.Copied(Epoch.first("node1"), List.of("node2")),
            new SessionEvent.Committing("1@node1", 3))) {
      state = state.on(event);
    }
    assertThat(state)
        .isEqualTo(
            new SessionState(
                PUT,
                "standard@1.0.0",
                3,
                /* paused= */ true,
                /* altered= */ true,
                Epoch.first("node1"),
                List.of("node2"),
                "1@node1"));
    state = state.on(new RevisionChanged("other@2.0.0"));
    assertThat(state)
        .isEqualTo(
            new SessionState(
                PUT,
                "other@2.0.0",
                3,
                /* paused= */ false,
                /* altered= */ true,
                Epoch.first("node1"),
                List.of("node2"),
                "1@node1"));
    assertThat(state.on(new Ended("complete"))).isEqualTo(SessionState.NONE);
  }
}
