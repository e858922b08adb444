package io.theseus.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LIST against a slow reference: all names, sorted by their bytes, cut. */
class ListerTest {
  private static final int LEAST_KEPT = 257;

  @Provide
  Arbitrary<List<String>> names() {
    // characters around / in the order, of every length in UTF-8, and a surrogate pair
    Arbitrary<String> component =
        Arbitraries.of("a", "a-", "a.b", "a0", "b", "ab", "é", "\uFFFD", "\uD83D\uDE00", "-", "~");
    Arbitrary<String> name =
        component.list().ofMinSize(1).ofMaxSize(4).map(l -> String.join("/", l));
    return name.list().ofMinSize(0).ofMaxSize(40);
  }

  @Provide
  Arbitrary<String> cut() {
    return Arbitraries.of("", "a", "a/", "a-", "a-/", "a/a", "a/b/", "b", "é", "a.", "~/~", "a0/é");
  }

  @Property(tries = 150, shrinking = ShrinkingMode.BOUNDED)
  void shouldGiveWhatASlowReferenceGives(
      @ForAll("names") List<String> wanted,
      @ForAll("names") List<String> liveNames,
      @ForAll("cut") String prefix,
      @ForAll("cut") String after,
      @ForAll @IntRange(min = 1, max = 2000) int maxBytes)
      throws IOException {
    Path root = Files.createTempDirectory("lister");
    try (Tree tree = new Tree(root.toRealPath(), "b/ab")) {
      TreeSet<FileName> all = new TreeSet<>();
      for (String text : wanted) {
        Path file = root.resolve(text);
        try {
          Files.createDirectories(file.getParent());
          Files.writeString(file, "");
        } catch (FileSystemException e) {
          continue; // a file is where a folder should be, or the other way round
        }
        if (!text.equals("b/ab") && !text.startsWith("b/ab/")) {
          all.add(new FileName(text));
        }
      }
      Files.createDirectories(root.resolve("zz/empty"));
      TreeSet<FileName> live = new TreeSet<>();
      liveNames.stream().limit(3).map(FileName::new).forEach(live::add);
      all.addAll(live);

      List<String> expected =
          all.stream()
              .map(FileName::value)
              .filter(name -> name.startsWith(prefix) && isAfter(name, after))
              .toList();

      // page by page, to the end
      List<String> given = new ArrayList<>();
      String from = after;
      while (true) {
        Listing page = new Lister(tree, live, prefix, from, maxBytes, LEAST_KEPT).list();
        long bytes = 0;
        for (FileStat stat : page.entries()) {
          given.add(stat.name().value());
          bytes += stat.line().getBytes(StandardCharsets.UTF_8).length + 1;
          assertThat(stat.size().isEmpty()).isEqualTo(live.contains(stat.name()));
        }
        assertThat(page.entries().size() == 1 || bytes <= maxBytes).isTrue();
        if (!page.more()) {
          break;
        }
        assertThat(page.entries()).isNotEmpty();
        from = page.entries().get(page.entries().size() - 1).name().value();
      }
      assertThat(given).isEqualTo(expected);
    } finally {
      StoreFixture.deleteAll(root);
    }
  }

  /** More names in one folder than a scan keeps, with folders whose place is elsewhere. */
  @Test
  void shouldKeepTheOrderWhenAScanCannotHoldAFolder(@TempDir Path root) throws IOException {
    TreeSet<FileName> all = new TreeSet<>();
    for (int i = 0; i < 1500; i++) {
      // a…a-i sorts before a…a/x and after the bare name a…a
      String stem = "a".repeat(1 + i % 250);
      String name = i < 250 ? stem + "/x" : stem + "-" + i;
      Path file = root.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, "");
      all.add(new FileName(name));
    }
    try (Tree tree = new Tree(root.toRealPath(), "")) {
      Listing page = new Lister(tree, new TreeSet<>(), "", "", 10 << 20, LEAST_KEPT).list();
      assertThat(page.more()).isFalse();
      assertThat(page.entries().stream().map(FileStat::name).toList())
          .isEqualTo(new ArrayList<>(all));
    }
  }

  private static boolean isAfter(String name, String after) {
    return Arrays.compareUnsigned(
            name.getBytes(StandardCharsets.UTF_8), after.getBytes(StandardCharsets.UTF_8))
        > 0;
  }
}
