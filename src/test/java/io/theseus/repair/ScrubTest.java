package io.theseus.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.theseus.names.Holders;
import io.theseus.store.Contents;
import io.theseus.store.FileStore;
import io.theseus.store.Named;
import io.theseus.wire.FileName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A reading of all files, with other nodes that have what the test says. */
final class ScrubTest {
  private static final Contents.Pacing FAST = bytes -> {};

  private final List<String> asked = new ArrayList<>();
  private RepairStore files;
  private Set<String> keeping = Set.of();

  @BeforeEach
  void open(@TempDir Path directory) throws Exception {
    files = new RepairStore(directory);
  }

  @AfterEach
  void close() throws Exception {
    files.close();
  }

  private CompletionStage<Holders> holders(List<Named> names) {
    return CompletableFuture.completedFuture(
        new Holders(
            names.stream().map(each -> new Holders.Held(each, keeping, Set.of(), false)).toList(),
            Set.of()));
  }

  private Scrub scrub(String prefix, Contents.Pacing pacing, Mending.Bringing bringing) {
    Mending mending = new Mending(files.store, this::holders, bringing, new Stop());
    return new Scrub(files.store, files.store.contents()::check, mending, prefix, pacing);
  }

  /** One that reads nothing. */
  static Scrub idle(FileStore store) {
    Mending none =
        new Mending(
            store,
            names -> CompletableFuture.completedFuture(new Holders(List.of(), Set.of())),
            (node, name, version) -> "",
            new Stop());
    return new Scrub(store, store.contents()::check, none, "", FAST);
  }

  private String refuse(String node, FileName name, String version) {
    asked.add(node);
    return "it has none";
  }

  @Test
  void shouldReadAllAndTakeWhatAPersonPutForWhatItIs() throws Exception {
    files.put("d/one", "content");
    files.put("d/two", "more content");
    files.put("e", "elsewhere");
    Files.writeString(files.root.resolve("d/by-hand"), "by hand");
    Scrub scrub = scrub("d/", FAST, this::refuse);
    assertThat(scrub.status().running()).isTrue();
    scrub.run();
    assertThat(scrub.status())
        .isEqualTo(new ScrubStatus(false, "d/", 3, 26, 3, 26, 1, List.of(), 0, 0, ""));
    assertThat(files.store.contents().committed(FileName.parse("d/by-hand"))).isPresent();
    assertThat(asked).isEmpty();
  }

  @Test
  void shouldRepairFromTheFirstNodeThatCan() throws Exception {
    String version = files.put("f", "content");
    files.rot("f");
    keeping = Set.of("node3", "node1");
    Scrub scrub =
        scrub(
            "",
            FAST,
            (node, name, wanted) -> {
              asked.add(node);
              assertThat(wanted).isEqualTo(version);
              assertThat(files.store.contents().isRotten(name)).isTrue();
              if (node.equals("node1")) {
                return "it is rotten there, too";
              }
              try {
                files.put("f", "content", version);
              } catch (Exception e) {
                throw new AssertionError(e);
              }
              return "";
            });
    scrub.run();
    assertThat(asked).containsExactly("node1", "node3");
    assertThat(scrub.status().findings()).containsExactly(new Finding("f", "node3", ""));
    assertThat(scrub.status().rotten()).isOne();
    assertThat(scrub.status().repaired()).isOne();
    assertThat(files.store.contents().rotten()).isEmpty();
  }

  @Test
  void shouldSayWhyItIsNotRepaired() throws Exception {
    files.put("f", "content");
    files.rot("f");
    Scrub nowhere = scrub("", FAST, this::refuse);
    nowhere.run();
    assertThat(nowhere.status().findings())
        .containsExactly(new Finding("f", "", "no other node that can be reached has it"));

    keeping = Set.of("node1");
    Scrub refused = scrub("", FAST, this::refuse);
    refused.run();
    assertThat(refused.status().findings())
        .containsExactly(new Finding("f", "", "node1: it has none"));

    Scrub nothing = scrub("", FAST, (node, name, version) -> "");
    nothing.run();
    assertThat(nothing.status().findings())
        .containsExactly(new Finding("f", "", "node1: brought, and rotten still"));
    assertThat(nothing.status().repaired()).isZero();
    assertThat(files.store.contents().rotten()).containsExactly(FileName.parse("f"));
  }

  @Test
  void shouldSayThatItEndedBeforeTheEnd() throws Exception {
    files.put("f", "content");
    Scrub stopped =
        scrub(
            "",
            bytes -> {
              throw new InterruptedException("the node stops");
            },
            this::refuse);
    assertThatThrownBy(stopped::run).isInstanceOf(InterruptedException.class);
    assertThat(stopped.status().running()).isFalse();
    assertThat(stopped.status().failure()).isEqualTo("the node stops");

    Scrub broken =
        scrub(
            "",
            bytes -> {
              throw new IllegalStateException("a bug");
            },
            this::refuse);
    broken.run();
    assertThat(broken.status().running()).isFalse();
    assertThat(broken.status().failure()).isEqualTo("java.lang.IllegalStateException: a bug");
  }
}
