package io.theseus.backup;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.javadsl.Adapter;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import akka.serialization.Serializer;
import akka.serialization.Serializers;
import com.typesafe.config.ConfigFactory;
import io.theseus.wire.Epoch;
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

/** What nodes say about copies, and what a backup writes down, comes back as it was. */
final class BackupRemoteTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create(
          "remote",
          ConfigFactory.parseString("akka.remote.artery.canonical.port = 0")
              .withFallback(ConfigFactory.load()));

  private static final UUID SESSION = UUID.randomUUID();
  private static final Epoch EPOCH = new Epoch(3, "node1");

  @AfterAll
  static void shutDown() {
    KIT.shutdownTestKit();
  }

  static Stream<Object> said() {
    TestProbe<Replicator.Command> owner = KIT.createTestProbe(Replicator.Command.class);
    TestProbe<BackupNode.Command> backup = KIT.createTestProbe(BackupNode.Command.class);
    TestProbe<Remote.Drained> drained = KIT.createTestProbe(Remote.Drained.class);
    TestProbe<Remote.RegistrationSet> set = KIT.createTestProbe(Remote.RegistrationSet.class);
    return Stream.of(
        new Remote.BackupInfo(
            SESSION,
            EPOCH,
            "d/f",
            OptionalLong.of(1L << 40),
            Optional.of(Instant.ofEpochSecond(5, 7_000)),
            8L << 20,
            true,
            "node1",
            "127.0.0.1",
            7431,
            owner.getRef()),
        new Remote.BackupInfo(
            SESSION,
            EPOCH,
            "f",
            OptionalLong.empty(),
            Optional.empty(),
            0,
            false,
            "node1",
            "::1",
            7431,
            owner.getRef()),
        new Remote.BackupData(SESSION, EPOCH, 8L << 20, 8L << 20),
        new Remote.Seal(SESSION, EPOCH, 17, "0a", Optional.of("0b"), -9, "17@node1"),
        new Remote.Commit(SESSION, EPOCH, "d/f"),
        new Remote.Release(SESSION, EPOCH),
        new Remote.Verify(SESSION, EPOCH, 8L << 20),
        new Remote.Verified(SESSION, EPOCH, "node2", 8L << 20),
        new Remote.Ready(SESSION, EPOCH, "node2", 5, 9),
        new Remote.Ack(SESSION, EPOCH, "node2", 6),
        new Remote.Sealed(SESSION, EPOCH, "node2"),
        new Remote.Committed(SESSION, EPOCH, "node2"),
        new Remote.Refused(SESSION, EPOCH, "node2", ErrorCode.NO_SPACE, "full"),
        new Remote.Enquire("node1", owner.getRef()),
        new Remote.Offer(
            "node2", "r1", "127.0.0.1", 7432, 1L << 40, 3, 4, true, 5, backup.getRef()),
        new Remote.Registered("node1"),
        new Remote.Drain(true, "ann", drained.getRef()),
        new Remote.Drained(true, 3, "why"),
        new Remote.SetRegistration(false, "ann", set.getRef()),
        new Remote.RegistrationSet(false),
        new Remote.Ask(SESSION, "d/f", "node2", backup.getRef()),
        new Remote.Told(SESSION, "node1", Remote.Fate.DONE),
        new BackupEvent.Begun(EPOCH, "f", OptionalLong.of(9), Optional.of(Instant.EPOCH), 4),
        new BackupEvent.Marked(EPOCH, 5),
        new BackupEvent.Owned(EPOCH, 5),
        new BackupEvent.Ended(),
        BackupState.NONE,
        new BackupState(EPOCH, "f", OptionalLong.empty(), Optional.empty(), 7));
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
    for (Class<?> parent :
        List.of(Remote.class, Remote.OfSession.class, Remote.Answer.class, BackupEvent.class)) {
      all.addAll(Arrays.stream(parent.getPermittedSubclasses()).filter(Class::isRecord).toList());
    }
    assertThat(said().map(Object::getClass).filter(each -> each != BackupState.class).distinct())
        .containsExactlyInAnyOrderElementsOf(all);
  }

  @Test
  void shouldBeWhatItsEventsMadeOfIt() {
    BackupState state = BackupState.NONE;
    assertThat(state.isMarked()).isFalse();
    for (BackupEvent event :
        List.of(
            new BackupEvent.Begun(EPOCH, "f", OptionalLong.of(9), Optional.empty(), 4),
            new BackupEvent.Marked(EPOCH, 8),
            new BackupEvent.Owned(EPOCH.next("node3"), 6))) {
      state = state.on(event);
    }
    assertThat(state)
        .isEqualTo(
            new BackupState(EPOCH.next("node3"), "f", OptionalLong.of(9), Optional.empty(), 6));
    assertThat(state.isMarked()).isTrue();
    assertThat(state.on(new BackupEvent.Ended())).isEqualTo(BackupState.NONE);
  }
}
