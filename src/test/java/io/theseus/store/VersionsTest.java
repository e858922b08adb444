package io.theseus.store;

import static io.theseus.store.StoreFixture.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.wire.ErrorCode;
import io.theseus.wire.FileName;
import io.theseus.wire.ProtocolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node does with versions of names that are its own, and that it hears of. */
final class VersionsTest {
  private static final FileName NAME = new FileName("d/f");

  private StoreFixture fixture;
  private VersionClock clock;

  @BeforeEach
  void open(@TempDir Path made) throws IOException {
    fixture = new StoreFixture(made);
    clock = new VersionClock("node1", fixture.clock);
  }

  @AfterEach
  void close() throws Exception {
    fixture.close();
  }

  private Completed put(UploadRequest request, String content, String version) throws Exception {
    Upload upload = fixture.store.begin(request);
    upload.takeOver().write(StoreFixture.direct(content), () -> {});
    upload
        .seal(content.length(), Optional.empty(), version)
        .toCompletableFuture()
        .get(20, TimeUnit.SECONDS);
    return upload.publish().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private Entry entry() throws ProtocolException {
    return fixture.store.entry(NAME);
  }

  @Test
  void shouldKnowTheVersionOfWhatWasCommittedAndOfWhatWasPutThere() throws Exception {
    assertThat(entry()).isEqualTo(Entry.NONE);
    String first = clock.next();
    put(request("d/f"), "first", first);
    assertThat(entry().kind()).isEqualTo(Entry.Kind.FILE);
    assertThat(entry().version()).isEqualTo(first);

    // by hand: newer than what was committed, and its identity is another
    Files.writeString(fixture.root.resolve("d/f"), "by hand");
    assertThat(entry().version()).matches("[0-9a-f]{16}@").isGreaterThan(first);
    assertThat(entry().stat().orElseThrow().identity()).startsWith("s7-t");
    List<Named> all = new ArrayList<>();
    fixture.store.forEachFile((file, size) -> all.add(file));
    assertThat(all).containsExactly(new Named(NAME, entry().version()));
  }

  @Test
  void shouldLetGoOfWhatIsOlder() throws Exception {
    String old = clock.next();
    Completed completed = put(request("d/f"), "old", old);
    String newer = clock.next();
    assertThat(fixture.store.supersede(NAME, old, /* deleted= */ false).kind())
        .as("its own version")
        .isEqualTo(Entry.Kind.FILE);
    assertThat(fixture.store.supersede(NAME, newer, /* deleted= */ false)).isEqualTo(Entry.NONE);
    assertThat(fixture.root.resolve("d/f")).doesNotExist();
    // and its session is remembered
    assertThat(fixture.store.completed(completed.session(), NAME)).contains(completed);
    fixture.restart();
    assertThat(fixture.store.completed(completed.session(), NAME)).contains(completed);
  }

  @Test
  void shouldRememberADeletionAcrossRestartsUntilItIsOld() throws Exception {
    put(request("d/f"), "content", clock.next());
    String deletion = clock.next();
    assertThat(fixture.store.supersede(NAME, deletion, /* deleted= */ true))
        .isEqualTo(new Entry(Entry.Kind.DELETED, deletion, Optional.empty()));
    String later = clock.next();
    fixture.store.supersede(NAME, later, /* deleted= */ true);
    fixture.store.supersede(NAME, deletion, /* deleted= */ true);
    fixture.restart();
    assertThat(entry().version()).isEqualTo(later);
    put(request("d/f"), "again", clock.next());
    assertThat(entry().kind()).isEqualTo(Entry.Kind.FILE);

    assertThat(fixture.store.forgetDeleted(Duration.ofDays(365_000))).isZero();
    Files.setLastModifiedTime(
        tombstone(), java.nio.file.attribute.FileTime.from(StoreFixture.START.minusSeconds(99)));
    assertThat(fixture.store.forgetDeleted(Duration.ofSeconds(100))).isZero();
    assertThat(fixture.store.forgetDeleted(Duration.ofSeconds(98))).isOne();
    Files.delete(fixture.root.resolve("d/f"));
    assertThat(entry()).isEqualTo(Entry.NONE);
  }

  @Test
  void shouldNameADamagedDeletion() throws Exception {
    fixture.store.supersede(NAME, clock.next(), /* deleted= */ true);
    byte[] text = Files.readAllBytes(tombstone());
    text[12] ^= 1;
    Files.write(tombstone(), text);
    assertThatThrownBy(this::entry)
        .isInstanceOfSatisfying(
            ProtocolException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INTERNAL))
        .hasMessageContaining("is damaged (expected: its checksum; remove it, and its name may");
  }

  private Path tombstone() throws IOException {
    try (Stream<Path> all = Files.walk(fixture.records.resolve("deleted"))) {
      return all.filter(Files::isRegularFile).findFirst().orElseThrow();
    }
  }

  /** One that is decided, and comes behind a newer one: as if it had come before that. */
  @Test
  void shouldNotReplaceWhatIsNewer() throws Exception {
    String low = clock.next();
    String high = clock.next();
    Completed newer = put(request("d/f"), "newer", high);
    UploadRequest late = request("d/f");
    Completed older = put(late, "older", low);
    assertThat(older.session()).isEqualTo(late.session());
    assertThat(fixture.read("d/f")).isEqualTo("newer");
    assertThat(fixture.store.stagedBytes(late.session())).isZero();
    fixture.restart();
    assertThat(fixture.store.completed(late.session(), NAME)).contains(older);
    assertThat(fixture.store.completed(newer.session(), NAME)).contains(newer);
  }

  @Test
  void shouldNotComeBackBehindALaterDeletion() throws Exception {
    String low = clock.next();
    fixture.store.supersede(NAME, clock.next(), /* deleted= */ true);
    UploadRequest late = request("d/f");
    Completed older = put(late, "older", low);
    assertThat(entry().kind()).isEqualTo(Entry.Kind.DELETED);
    assertThat(fixture.names()).isEmpty();
    assertThat(fixture.root.resolve("d")).as("no folder for nothing").doesNotExist();
    assertThat(fixture.store.completed(late.session(), NAME)).contains(older);
  }

  /** A directory that becomes part of a cluster loses nothing by that. */
  @Test
  void shouldSetAsideWhatNoNodeGaveAVersion() throws Exception {
    Path file = fixture.root.resolve("d/" + "x".repeat(250) + "f");
    FileName name = new FileName("d/" + "x".repeat(250) + "f");
    Files.createDirectories(fixture.root.resolve("d"));
    Files.writeString(file, "by hand");
    String newer =
        new VersionClock("node1", Clock.systemUTC()).above(fixture.store.entry(name).version());
    assertThat(fixture.store.giveWay(name, newer, /* deleted= */ false)).isEqualTo(Entry.NONE);
    assertThat(file).doesNotExist();
    fixture.restart();
    try (Stream<Path> aside = Files.list(fixture.root.resolve(".theseus-staging/aside"))) {
      assertThat(aside)
          .singleElement()
          .satisfies(kept -> assertThat(kept).hasContent("by hand"))
          .satisfies(kept -> assertThat(kept.toString()).endsWith("xf"));
    }
    assertThat(fixture.names()).isEmpty();

    // what a node committed is replaced, as ever
    put(request("d/f"), "content", clock.next());
    fixture.store.giveWay(NAME, newer, /* deleted= */ false);
    try (Stream<Path> aside = Files.list(fixture.root.resolve(".theseus-staging/aside"))) {
      assertThat(aside).hasSize(1);
    }
  }

  @Test
  void shouldSayWhatIsInTheWay() throws Exception {
    put(request("d/f"), "content", clock.next());
    assertThat(fixture.store.obstacle(NAME)).isEmpty();
    assertThat(fixture.store.obstacle(new FileName("d/f/g")))
        .hasValueSatisfying(e -> assertThat(e.code()).isEqualTo(ErrorCode.EXISTS));
    assertThat(fixture.store.obstacle(new FileName("d")))
        .hasValueSatisfying(e -> assertThat(e.code()).isEqualTo(ErrorCode.EXISTS));
  }
}
