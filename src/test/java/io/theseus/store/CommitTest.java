package io.theseus.store;

import static io.theseus.store.StoreFixture.await;
import static io.theseus.store.StoreFixture.name;
import static io.theseus.store.StoreFixture.refusal;
import static io.theseus.store.StoreFixture.request;
import static io.theseus.store.StoreFixture.sha256;
import static io.theseus.store.StoreFixture.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Switching names: preconditions, folders, races, what is remembered, a kill at every step. */
@Timeout(120)
class CommitTest {
  private Path directory;
  private StoreFixture fixture;

  @BeforeEach
  void open(@TempDir Path temporary) throws IOException {
    directory = temporary;
    fixture = new StoreFixture(directory);
  }

  @AfterEach
  void close() throws IOException {
    fixture.close();
  }

  private static Optional<Completed> completed(StoreFixture fixture, Completed put)
      throws Exception {
    return fixture.store.completed(put.session(), put.name());
  }

  // ---- preconditions

  @Test
  void shouldRefuseAPreconditionBeforeTheFirstByte() throws Exception {
    Completed old = fixture.put("f", "old");

    assertThat(refusal(() -> fixture.store.begin(request("f", "none"))))
        .isEqualTo("exists: \"f\": has identity " + old.identity() + " (expected: none)");
    assertThat(refusal(() -> fixture.store.begin(request("f", "other"))))
        .isEqualTo("changed: \"f\" has identity " + old.identity() + " (expected: other)");
    assertThat(refusal(() -> fixture.store.begin(request("gone", "other"))))
        .isEqualTo("changed: \"gone\" has identity none (expected: other)");
    assertThat(refusal(() -> fixture.store.begin(request("no/folder", "other"))))
        .isEqualTo("changed: \"no/folder\" has identity none (expected: other)");
    assertThat(refusal(() -> fixture.store.delete(name("f"), Optional.of("other"))))
        .isEqualTo("changed: \"f\" has identity " + old.identity() + " (expected: other)");

    fixture.put(request("f", old.identity()), "new");
    assertThat(fixture.read("f")).isEqualTo("new");
    fixture.put(request("g", "none"), "first");
  }

  @Test
  void shouldLookAtThePreconditionAgainAtTheSwitch() throws Exception {
    Upload none = fixture.store.begin(request("f", "none"));
    write(none.takeOver(), "late");
    Completed first = fixture.put("f", "first");
    Upload replace = fixture.store.begin(request("f", first.identity()));
    write(replace.takeOver(), "late too");
    Completed second = fixture.put("f", "second");

    assertThat(refusal(() -> await(none.commit(4, Optional.empty()))))
        .isEqualTo("exists: \"f\": has identity " + second.identity() + " (expected: none)");
    assertThat(refusal(() -> await(replace.commit(8, Optional.empty()))))
        .isEqualTo(
            "changed: \"f\" has identity "
                + second.identity()
                + " (expected: "
                + first.identity()
                + ")");
    assertThat(fixture.read("f")).isEqualTo("second");
  }

  @Test
  void shouldLetOneOfManyWinWhoWantTheNameFree() throws Exception {
    for (int round = 0; round < 20; round++) {
      String name = "race/" + round;
      List<Upload> uploads = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        Upload upload = fixture.store.begin(request(name, "none"));
        write(upload.takeOver(), "content of " + i);
        uploads.add(upload);
      }
      List<CompletableFuture<Completed>> commits =
          uploads.stream().map(u -> u.commit(12, Optional.empty()).toCompletableFuture()).toList();
      int won = -1;
      for (int i = 0; i < commits.size(); i++) {
        int each = i;
        try {
          await(commits.get(i));
          assertThat(won).as("a second winner").isEqualTo(-1);
          won = i;
        } catch (io.theseus.wire.ProtocolException e) {
          assertThat(refusal(() -> await(commits.get(each)))).startsWith("exists: \"" + name);
        }
      }
      assertThat(fixture.read(name)).isEqualTo("content of " + won);
    }
  }

  @Test
  void shouldKeepOneOfTwoPutsWhole() throws Exception {
    Upload a = fixture.store.begin(request("f"));
    Upload b = fixture.store.begin(request("f"));
    Upload.Writer toA = a.takeOver();
    Upload.Writer toB = b.takeOver();
    for (int i = 0; i < 100; i++) {
      write(toA, "a");
      write(toB, "b");
    }
    Completed first = await(b.commit(100, Optional.empty()));
    assertThat(fixture.read("f")).isEqualTo("b".repeat(100));
    Completed last = await(a.commit(100, Optional.empty()));

    assertThat(fixture.read("f")).isEqualTo("a".repeat(100));
    assertThat(fixture.store.stat(name("f")).identity()).isEqualTo(last.identity());
    assertThat(completed(fixture, first)).contains(first);
    assertThat(completed(fixture, last)).contains(last);
  }

  // ---- folders

  @Test
  void shouldRefuseNamesThatAreFoldersOrGoThroughFiles() throws Exception {
    fixture.put("a/b", "x");
    Files.createSymbolicLink(fixture.root.resolve("link"), directory);

    assertThat(refusal(() -> fixture.store.begin(request("a"))))
        .isEqualTo("exists: \"a\": is a folder that holds names (expected: no folder there)");
    assertThat(refusal(() -> fixture.store.begin(request("a/b/c"))))
        .isEqualTo(
            "exists: \"a/b/c\": goes through what is no folder (expected: folders on the way)");
    assertThat(refusal(() -> fixture.store.begin(request("link/x"))))
        .isEqualTo(
            "exists: \"link/x\": goes through what is no folder (expected: folders on the way)");
    assertThat(refusal(() -> fixture.store.begin(request("link"))))
        .isEqualTo("exists: \"link\": is a symbolic link (expected: a regular file or nothing)");
  }

  @Test
  void shouldRefuseThemAtTheSwitchToo() throws Exception {
    Upload folder = fixture.store.begin(request("a/b"));
    Upload file = fixture.store.begin(request("a"));
    Upload through = fixture.store.begin(request("c/d"));
    fixture.put("c", "a file now");
    await(folder.commit(0, Optional.empty()));

    assertThat(refusal(() -> await(file.commit(0, Optional.empty()))))
        .isEqualTo("exists: \"a\": is a folder that holds names (expected: no folder there)");
    assertThat(refusal(() -> await(through.commit(0, Optional.empty()))))
        .isEqualTo(
            "exists: \"c/d\": goes through what is no folder (expected: folders on the way)");
    assertThat(fixture.names()).containsExactly("a/b", "c");
  }

  @Test
  void shouldNotLetALinkLeadACommitOutside() throws Exception {
    Upload upload = fixture.store.begin(request("a/b/c"));
    write(upload.takeOver(), "x");
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Files.createSymbolicLink(fixture.root.resolve("a"), outside);

    assertThat(refusal(() -> await(upload.commit(1, Optional.empty())))).startsWith("exists: ");
    assertThat(outside).isEmptyDirectory();
  }

  @Test
  void shouldNotMindFoldersThatHoldNothing() throws Exception {
    fixture.put("a/b/c", "x");
    Files.createDirectories(fixture.root.resolve("a/d/e"));
    fixture.store.delete(name("a/b/c"), Optional.empty());

    fixture.put("a", "a file");
    assertThat(fixture.names()).containsExactly("a");
  }

  @Test
  void shouldCreateFoldersFromManyThreads() throws Exception {
    List<CompletableFuture<Completed>> commits = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      Upload upload = fixture.store.begin(request("a/" + i % 7 + "/" + i % 3 + "/" + i));
      commits.add(upload.commit(0, Optional.empty()).toCompletableFuture());
    }
    for (CompletableFuture<Completed> commit : commits) {
      await(commit);
    }
    assertThat(fixture.names()).hasSize(60);
    assertThat(fixture.staging())
        .isDirectoryContaining("glob:**lock")
        .isDirectoryNotContaining("glob:**folder");
  }

  // ---- what travels with the file

  @Test
  void shouldSetTheTimeThatWasAskedFor() throws Exception {
    Instant modified = Instant.parse("2001-02-03T04:05:06.123456Z");
    UploadRequest request =
        new UploadRequest(
            UUID.randomUUID(),
            name("f"),
            OptionalLong.of(1),
            Optional.empty(),
            Optional.empty(),
            Optional.of(modified));
    fixture.put(request, "x");

    FileStat stat = fixture.store.stat(name("f"));
    assertThat(stat.modified()).contains(modified);
    assertThat(stat.identity()).isEqualTo(request.session().toString());
    assertThat(stat.sha256()).contains(sha256("x"));
  }

  @Test
  void shouldKeepIdentityAndHashAcrossARestart() throws Exception {
    Completed put = fixture.put("f", "x");
    fixture.restart();
    assertThat(fixture.store.stat(name("f")).identity()).isEqualTo(put.identity());
    assertThat(fixture.store.stat(name("f")).sha256()).isEqualTo(put.sha256());
  }

  @Test
  void shouldRefuseToDeleteWhatIsNotThere() {
    assertThat(refusal(() -> fixture.store.delete(name("f"), Optional.empty())))
        .isEqualTo("not-found: \"f\": nothing is there (expected: a regular file)");
    assertThat(refusal(() -> fixture.store.delete(name("a/f"), Optional.of("x"))))
        .isEqualTo("not-found: \"a/f\": nothing is there (expected: a regular file)");
  }

  // ---- what is remembered

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldAnswerACompletedUploadAgainForKeep(boolean attributes) throws Exception {
    fixture.attributes = attributes;
    fixture.restart();
    Completed stays = fixture.put("d/stays", "1");
    Completed replaced = fixture.put("d/replaced", "2");
    fixture.put("d/replaced", "3");
    Completed deleted = fixture.put("d/deleted", "4");
    assertThat(fixture.store.delete(name("d/deleted"), Optional.empty()))
        .isEqualTo(deleted.identity());
    Completed edited = fixture.put("edited", "5");
    Files.writeString(fixture.root.resolve("edited"), "by hand");
    if (attributes) {
      assertThat(stays.identity()).isEqualTo(stays.session().toString());
    } else {
      assertThat(stays.identity()).startsWith("s1-t");
      assertThat(fixture.store.stat(name("d/stays")).identity()).isEqualTo(stays.identity());
    }

    for (int i = 0; i < 2; i++) {
      for (Completed each : List.of(stays, replaced, deleted, edited)) {
        assertThat(completed(fixture, each)).contains(each);
      }
      fixture.restart();
    }
    assertThat(fixture.store.completed(UUID.randomUUID(), name("d/stays"))).isEmpty();
    assertThat(refusal(() -> fixture.store.completed(deleted.session(), name("other"))))
        .isEqualTo(
            "bad-field: Session: "
                + deleted.session()
                + " completed \"d/deleted\" (expected: that name, not \"other\")");

    fixture.clock.advance(StoreFixture.KEEP.plus(Duration.ofSeconds(1)));
    assertThat(completed(fixture, deleted)).isEmpty();
    assertThat(completed(fixture, replaced)).isEmpty();
    fixture.restart();
    assertThat(completed(fixture, deleted)).isEmpty();
  }

  @Test
  void shouldNotTakeAnIntentForACommit() throws Exception {
    fixture.attributes = false;
    fixture.restart();
    UploadRequest request = request("f");
    fixture.steps =
        step -> {
          if (step.equals("record.persisted")) {
            throw new IllegalStateException("killed");
          }
        };
    Upload upload = fixture.store.begin(request);
    write(upload.takeOver(), "x");
    assertThat(refusal(() -> await(upload.commit(1, Optional.empty())))).startsWith("internal: ");

    // its part is there: not committed; removed as a leftover: still not
    assertThat(fixture.store.completed(request.session(), request.name())).isEmpty();
    fixture.restart();
    assertThat(Files.exists(fixture.part(request.session()))).isFalse();
    assertThat(fixture.store.completed(request.session(), request.name())).isEmpty();
    fixture.restart();
    assertThat(fixture.store.completed(request.session(), request.name())).isEmpty();
  }

  /** What is visible is committed, also where its upload failed behind the rename and is let go. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldNotTakeBackWhatHasItsName(boolean attributes) throws Exception {
    fixture.attributes = attributes;
    fixture.restart();
    UploadRequest request = request("f");
    fixture.steps =
        step -> {
          if (step.equals("commit.renamed")) {
            throw new IllegalStateException("failed");
          }
        };
    Upload upload = fixture.store.begin(request);
    write(upload.takeOver(), "x");
    assertThat(refusal(() -> await(upload.commit(1, Optional.empty())))).startsWith("internal: ");
    await(upload.discard());

    assertThat(fixture.read("f")).isEqualTo("x");
    assertThat(fixture.store.completed(request.session(), request.name())).isPresent();
  }

  // ---- killed at every step

  /** Where the steps stop, nothing else happens: what a kill leaves, but for the page cache. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "put.written",
        "put.synced",
        "commit.decided",
        "commit.attributes",
        "commit.file-synced",
        "record.persisted",
        "commit.renamed",
        "commit.directory-synced"
      })
  void shouldCompleteAfterAKillAtEveryStep(String step) throws Exception {
    for (boolean attributes : new boolean[] {true, false}) {
      fixture.attributes = attributes;
      fixture.restart();
      String file = "d/f" + attributes;
      Completed old = fixture.put(file, "old content");
      FileName name = old.name();
      UploadRequest request = request(file);
      Upload upload = fixture.store.begin(request);
      Upload.Writer writer = upload.takeOver();
      write(writer, "new ");
      await(upload.sync());
      fixture.steps =
          each -> {
            if (each.equals(step)) {
              throw new IllegalStateException("killed");
            }
          };
      write(writer, "content");
      CompletionStage<Long> sync = upload.sync();
      if (step.equals("put.synced")) {
        assertThat(refusal(() -> await(sync))).startsWith("internal: ");
      }
      String killed = refusal(() -> await(upload.commit(11, Optional.empty())));
      assertThat(killed).endsWith("java.lang.IllegalStateException: killed");

      fixture.restart(request.session());
      boolean visible = fixture.read(file).equals("new content");
      assertThat(fixture.read(file)).isIn("old content", "new content");
      Optional<Completed> completed = fixture.store.completed(request.session(), name);
      assertThat(completed.isPresent()).as("visible means committed").isEqualTo(visible);
      if (completed.isEmpty()) {
        // 4 bytes have a mark
        Upload again = fixture.store.reopen(request, 4, /* altered= */ false);
        write(again.takeOver(), "content");
        completed = Optional.of(await(again.commit(11, Optional.empty())));
      }
      assertThat(completed.get().sha256()).contains(sha256("new content"));
      assertThat(fixture.read(file)).isEqualTo("new content");
      assertThat(completed(fixture, old)).contains(old);
      assertThat(completed(fixture, completed.get())).isEqualTo(completed);
      assertThat(fixture.store.removeLeftovers(java.util.Set.of())).isEmpty();
    }
  }
}
