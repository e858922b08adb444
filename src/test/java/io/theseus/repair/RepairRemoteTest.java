package io.theseus.repair;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.javadsl.Adapter;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import akka.serialization.Serializer;
import akka.serialization.Serializers;
import com.typesafe.config.ConfigFactory;
import io.theseus.store.FileStore;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What nodes say about their files comes back as it was. */
final class RepairRemoteTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create(
          "repair",
          ConfigFactory.parseString("akka.remote.artery.canonical.port = 0")
              .withFallback(ConfigFactory.load()));

  @AfterAll
  static void shutDown() {
    KIT.shutdownTestKit();
  }

  static Stream<Object> said() {
    TestProbe<Remote.Brought> brought = KIT.createTestProbe(Remote.Brought.class);
    TestProbe<Remote.Reading> reading = KIT.createTestProbe(Remote.Reading.class);
    return Stream.of(
        new Remote.Bring("d/f", "0a@n", "node1", brought.getRef()),
        new Remote.Brought(true, ""),
        new Remote.Verify("d/", "somebody", reading.getRef()),
        new Remote.Look(reading.getRef()),
        new Remote.Reading(
            new ScrubStatus(
                true,
                "d/",
                1,
                1L << 40,
                3,
                1L << 41,
                4,
                List.of(new Finding("d/f", "node2", ""), new Finding("d/g", "", "nobody has it")),
                2,
                1,
                "disk"),
            "another one runs"));
  }

  private static byte[] bytes(Object said) {
    return SerializationExtension.get(Adapter.toClassic(KIT.system())).serialize(said).get();
  }

  @ParameterizedTest
  @MethodSource("said")
  void shouldComeBackEqualFromBytes(Object said) {
    Serialization serialization = SerializationExtension.get(Adapter.toClassic(KIT.system()));
    Serializer serializer = serialization.findSerializerFor(said);
    assertThat(serializer.getClass().getName()).contains("JacksonCbor");
    Object back =
        serialization
            .deserialize(
                bytes(said), serializer.identifier(), Serializers.manifestFor(serializer, said))
            .get();
    assertThat(back).isEqualTo(said).hasSameClassAs(said);
  }

  @Test
  void shouldHaveARoundTripForEach() {
    assertThat(said().map(Object::getClass).distinct())
        .containsExactlyInAnyOrderElementsOf(Arrays.asList(Remote.class.getPermittedSubclasses()));
  }

  /** Akka drops a message that is longer, and says so in its log alone. */
  @Test
  void shouldFitIntoAFrame(@TempDir Path directory) throws Exception {
    long frame =
        KIT.system().settings().config().getBytes("akka.remote.artery.advanced.maximum-frame-size");
    try (RepairStore files = new RepairStore(directory)) {
      shouldFit(files.store, frame);
    }
  }

  private static void shouldFit(FileStore store, long frame) {
    for (String name : List.of("f", "\u20ac".repeat(300), "\u0001".repeat(1000))) {
      for (int length : List.of(0, 10, 10_000)) {
        Scrub scrub = ScrubTest.idle(store);
        for (int i = 0; i < 2000; i++) {
          scrub.note(new Finding(name, "", "\u20ac".repeat(length)));
        }
        assertThat(scrub.status().rotten()).isEqualTo(2000);
        assertThat(scrub.status().findings()).isNotEmpty();
        byte[] bytes = bytes(new Remote.Reading(scrub.status(), ""));
        assertThat((long) bytes.length).isLessThan(frame * 4 / 5);
      }
    }
  }
}
