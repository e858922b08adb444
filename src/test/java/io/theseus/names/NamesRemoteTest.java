package io.theseus.names;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.javadsl.Adapter;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import akka.serialization.Serializer;
import akka.serialization.Serializers;
import com.typesafe.config.ConfigFactory;
import io.theseus.store.Entry;
import io.theseus.wire.ErrorCode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What nodes say about names comes back as it was. */
final class NamesRemoteTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create(
          "names",
          ConfigFactory.parseString("akka.remote.artery.canonical.port = 0")
              .withFallback(ConfigFactory.load()));

  private static final UUID SESSION = UUID.randomUUID();
  private static final Place PLACE = new Place("node2", "h:1", "");

  @AfterAll
  static void shutDown() {
    KIT.shutdownTestKit();
  }

  static Stream<Object> said() {
    TestProbe<NamesActor.Command> probe = KIT.createTestProbe(NamesActor.Command.class);
    return Stream.of(
        new Remote.Hello(1, "node1", probe.getRef()),
        new Remote.Here(1, "node2", PLACE, Instant.EPOCH),
        new Remote.Here(1, "node2", PLACE, Instant.ofEpochSecond(5, 7_000)),
        new Remote.Find(1, "node1", "d/f", Optional.of(SESSION), true, probe.getRef()),
        new Remote.Known(
            1,
            "node2",
            PLACE,
            Entry.Kind.FILE,
            "0a@n",
            OptionalLong.of(1L << 40),
            "id",
            Optional.of(Instant.ofEpochSecond(5, 7)),
            Optional.of("0f"),
            true,
            "in the way"),
        new Remote.Known(
            1,
            "node2",
            PLACE,
            Entry.Kind.NONE,
            "",
            OptionalLong.empty(),
            "",
            Optional.empty(),
            Optional.empty(),
            false,
            ""),
        new Remote.Supersede(1, "node1", "f", "0a@n", true, probe.getRef()),
        new Remote.Done(1, "node2"),
        new Remote.ListNames(1, "node1", "d/", Optional.of("d/e"), 60_000, probe.getRef()),
        new Remote.Page(
            1,
            "node2",
            List.of(
                new Remote.Row("f", OptionalLong.of(3), "id", Optional.of(Instant.EPOCH), "0a@n"),
                new Remote.Row("live", OptionalLong.empty(), "-", Optional.empty(), "")),
            Optional.of("live")),
        new Remote.Compare(1, "node1", List.of(new Remote.Versioned("f", "0a@n")), probe.getRef()),
        new Remote.Newer(
            1, "node2", List.of(new Remote.NewerOne("f", "0b@n", false)), List.of(3), true),
        new Remote.Claim(1, "node1", "f", SESSION, probe.getRef()),
        new Remote.Claimed(1, "node2", true),
        new Remote.Unclaim(1, "node1", "f", SESSION, probe.getRef()),
        new Remote.Fence(1, "node1", SESSION, probe.getRef()),
        new Remote.Failed(1, "node2", ErrorCode.INTERNAL, "disk"));
  }

  @ParameterizedTest
  @MethodSource("said")
  void shouldComeBackEqualFromBytes(Object said) {
    Serialization serialization = SerializationExtension.get(Adapter.toClassic(KIT.system()));
    Serializer serializer = serialization.findSerializerFor(said);
    assertThat(serializer.getClass().getName()).contains("JacksonCbor");
    byte[] bytes = serialization.serialize(said).get();
    Object back =
        serialization
            .deserialize(bytes, serializer.identifier(), Serializers.manifestFor(serializer, said))
            .get();
    assertThat(back).isEqualTo(said).hasSameClassAs(said);
  }

  @Test
  void shouldHaveARoundTripForEach() {
    List<Class<?>> all = new ArrayList<>();
    for (Class<?> parent : List.of(Remote.Question.class, Remote.Answer.class)) {
      all.addAll(Arrays.asList(parent.getPermittedSubclasses()));
    }
    assertThat(said().map(Object::getClass).distinct()).containsExactlyInAnyOrderElementsOf(all);
  }
}
