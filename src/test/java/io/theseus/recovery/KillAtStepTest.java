package io.theseus.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.testing.Content;
import io.theseus.testing.NodeProcess;
import io.theseus.testing.RawGet;
import io.theseus.testing.RawPut;
import io.theseus.testing.RawTransfer;
import io.theseus.testing.RawTransfer.End;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node that dies at every named point, with a PUT with Size, a PUT without, or a GET on its way;
 * row 1 of the faults. In the soak it dies at each point with each of them on whose way it lies.
 *
 * <p>After each death: the names show old or new, whole, and nothing else; the client resumes, is
 * never asked for an acknowledged byte, and gets the right hash; a PUT that asks once more gets
 * COMPLETE with the same Identity.
 */
@Tag("processes")
@Tag("once") // says nothing of a version of Java
final class KillAtStepTest {
  private static final int PACKET = 256 << 10;
  private static final int SMALL = 4 << 20;

  /** A worker grants 16 MiB ahead, so one that grants in the middle needs more than that. */
  private static final int LARGE = 26 << 20;

  private static final int LARGE_PACKET = 1 << 20;
  private static final int GET_PACKET = 64 << 10;
  private static final Pattern POINT =
      Pattern.compile("steps(?:\\(\\))?\\s*\\.at\\(\\s*(\"([^\"]*)\")?");

  private enum Kind {
    PUT_WITH_SIZE,
    PUT_WITH_END,
    GET;

    boolean isPut() {
      return this != GET;
    }
  }

  /** Which content a name shows after the death. */
  private enum Shows {
    OLD,
    NEW
  }

  /** What is certain of the offset at which the client stood. */
  private enum Stood {
    /** Something was acknowledged and not all: a kill that counts. */
    BETWEEN,
    /** Nothing was: the point lies before the first byte. */
    AT_START,
    /** All was sent, and perhaps acknowledged: the point lies behind the last OFFSET. */
    AT_END
  }

  /**
   * One death.
   *
   * @param point with the number of its passing
   * @param replaces whether an older file is at the name
   * @param begunBefore whether an earlier connection brought a part of it
   * @param stood where the client stood, for certain
   * @param shows what the name shows afterwards
   */
  private record Death(
      String point,
      Kind kind,
      boolean replaces,
      boolean begunBefore,
      Stood stood,
      Shows shows,
      int size) {
    String name() {
      return point.substring(0, point.indexOf(':'));
    }

    @Override
    public String toString() {
      return point
          + ", "
          + kind
          + (replaces ? " in place of a file" : "")
          + (begunBefore ? ", resumed before" : "");
    }
  }

  /** Deaths whose names match; for work on one of them: {@code -Dkill.only='put[.]marked.*END'}. */
  private static final Pattern ONLY = Pattern.compile(System.getProperty("kill.only", ""));

  private static Path directory;
  private static NodeProcess node;
  private static boolean sound = true;
  private static int number;
  private static final List<String> OFFSETS = new ArrayList<>();

  /** What every name has to show, as SHA-256. */
  private static final Map<String, String> EXPECTED = new HashMap<>();

  @BeforeAll
  static void start(@TempDir Path temporary) {
    directory = temporary;
    node = startAnew();
  }

  private static NodeProcess startAnew() {
    EXPECTED.clear();
    return NodeProcess.start(
        directory.resolve("node-" + number),
        "session.mark-bytes=1 MiB",
        "session.mark-interval=1h");
  }

  @AfterAll
  static void stop() {
    node.close();
    System.out.println("Killed at named points; acknowledged, of, resumed at:");
    OFFSETS.forEach(System.out::println);
  }

  // ---- the points

  /** One death at each point, now of this kind, now of that. */
  private static List<Death> deaths() {
    Map<String, List<Death>> byPoint =
        allDeaths().stream()
            .collect(Collectors.groupingBy(Death::name, LinkedHashMap::new, Collectors.toList()));
    List<Death> chosen = new ArrayList<>();
    for (List<Death> ofPoint : byPoint.values()) {
      chosen.add(ofPoint.get(chosen.size() % ofPoint.size()));
    }
    return chosen;
  }

  private static List<Death> allDeaths() {
    List<Death> all = new ArrayList<>();
    midPut(all, "put.part-created:1", false, Stood.AT_START, SMALL);
    midPut(all, "put.ready:1", true, Stood.BETWEEN, SMALL);
    midPut(all, "put.written:12", false, Stood.BETWEEN, SMALL);
    midPut(all, "put.synced:5", false, Stood.BETWEEN, SMALL);
    midPut(all, "session.synced:5", false, Stood.BETWEEN, SMALL);
    midPut(all, "put.marked:5", false, Stood.BETWEEN, SMALL);
    midPut(all, "put.acknowledged:5", false, Stood.BETWEEN, SMALL);
    midPut(all, "put.received:1", false, Stood.BETWEEN, SMALL);
    midPut(all, "journal.before-sync:5", false, Stood.BETWEEN, SMALL);
    midPut(all, "journal.synced:5", false, Stood.BETWEEN, SMALL);
    midPut(all, "worker.started:1", true, Stood.BETWEEN, SMALL);
    midPut(all, "worker.decided:4", false, Stood.BETWEEN, LARGE);
    midPut(all, "worker.granted:4", false, Stood.BETWEEN, LARGE);

    commit(all, "put.commit:1", Stood.BETWEEN, Shows.OLD);
    commit(all, "commit.decided:1", Stood.BETWEEN, Shows.OLD);
    commit(all, "commit.attributes:1", Stood.BETWEEN, Shows.OLD);
    commit(all, "commit.file-synced:1", Stood.BETWEEN, Shows.OLD);
    commit(all, "commit.renamed:1", Stood.BETWEEN, Shows.NEW);
    commit(all, "commit.directory-synced:1", Stood.BETWEEN, Shows.NEW);
    commit(all, "put.committed:1", Stood.BETWEEN, Shows.NEW);
    commit(all, "put.complete-sent:1", Stood.AT_END, Shows.NEW);
    commit(all, "session.ended:1", Stood.AT_END, Shows.NEW);
    // what is replaced is remembered
    all.add(put("record.persisted:1", Kind.PUT_WITH_SIZE, true, false, Stood.BETWEEN));
    all.add(put("record.persisted:1", Kind.PUT_WITH_END, true, false, Stood.BETWEEN));

    get(all, "get.ready:1", true, Stood.BETWEEN, SMALL);
    // a session hears of its connection each 4 MiB
    get(all, "get.marked:2", false, Stood.BETWEEN, LARGE);
    get(all, "journal.before-sync:2", false, Stood.BETWEEN, LARGE);
    get(all, "journal.synced:2", false, Stood.BETWEEN, LARGE);
    get(all, "worker.started:1", true, Stood.BETWEEN, SMALL);
    get(all, "worker.decided:4", false, Stood.BETWEEN, LARGE);
    get(all, "worker.granted:4", false, Stood.BETWEEN, LARGE);
    get(all, "get.complete-sent:1", false, Stood.AT_END, SMALL);
    get(all, "session.ended:1", false, Stood.AT_END, SMALL);
    return all;
  }

  private static void midPut(
      List<Death> to, String point, boolean begunBefore, Stood stood, int size) {
    to.add(new Death(point, Kind.PUT_WITH_SIZE, true, begunBefore, stood, Shows.OLD, size));
    to.add(new Death(point, Kind.PUT_WITH_END, false, begunBefore, stood, Shows.OLD, size));
  }

  private static void commit(List<Death> to, String point, Stood stood, Shows shows) {
    for (Kind kind : List.of(Kind.PUT_WITH_SIZE, Kind.PUT_WITH_END)) {
      for (boolean replaces : new boolean[] {true, false}) {
        to.add(new Death(point, kind, replaces, false, stood, shows, SMALL));
      }
    }
  }

  private static Death put(
      String point, Kind kind, boolean replaces, boolean begunBefore, Stood stood) {
    return new Death(point, kind, replaces, begunBefore, stood, Shows.OLD, SMALL);
  }

  private static void get(
      List<Death> to, String point, boolean begunBefore, Stood stood, int size) {
    to.add(new Death(point, Kind.GET, false, begunBefore, stood, Shows.OLD, size));
  }

  /** No point of the program goes without a death, and no death without a point. */
  @Test
  void shouldDieAtEveryPointOfTheProgram() throws IOException {
    Set<String> inProgram = new TreeSet<>();
    try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
      for (Path source : sources.filter(each -> each.toString().endsWith(".java")).toList()) {
        if (source.startsWith("src/main/java/io/theseus/steps")
            || source.startsWith("src/main/java/io/theseus/upgrade")) {
          continue; // UpgradeKillTest kills nodes at the points of upgrades
        }
        Matcher matcher = POINT.matcher(Files.readString(source));
        while (matcher.find()) {
          assertThat(matcher.group(2))
              .as("%s: a point's name is a literal, so that this test finds it", source)
              .isNotNull();
          inProgram.add(matcher.group(2));
        }
      }
    }
    Set<String> tested =
        Stream.of(
                deaths().stream().map(Death::name),
                BackupKillTest.deaths().map(BackupKillTest.Death::point),
                NamesKillTest.deaths().map(NamesKillTest.Death::point))
            .flatMap(each -> each)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(tested).as("points at which a node is killed").isEqualTo(inProgram);
  }

  // ---- the deaths

  @TestFactory
  Stream<DynamicTest> shouldLoseNothingWhenKilledAt() {
    return tests(deaths());
  }

  /** Each kind of transfer at each point that lies on its way. */
  @TestFactory
  @Tag("soak")
  @Tag("kill-points")
  Stream<DynamicTest> shouldLoseNothingOfAnyKindWhenKilledAt() {
    return tests(allDeaths());
  }

  private static Stream<DynamicTest> tests(List<Death> deaths) {
    return deaths.stream()
        .filter(death -> ONLY.matcher(death.toString()).find())
        .map(death -> DynamicTest.dynamicTest(death.toString(), () -> dieAndResume(death)));
  }

  private static void dieAndResume(Death death) {
    number++;
    if (!sound) {
      // what an earlier death left, when its test failed, says nothing about this one
      node.close();
      node = startAnew();
    }
    sound = false;
    die(death);
    sound = true;
  }

  private static void die(Death death) {
    String name = "file-" + number;
    Content content = Content.random(number, death.size());
    RawTransfer victim = victim(death, name, content);
    String old = prepare(death, name, content);

    if (death.begunBefore()) {
      assertThat(victim.run(node.address(), death.size() / 3)).isEqualTo(End.LEFT);
    }
    // what came before has passed its last point
    soon().until(() -> node.liveSessions() <= kept(death));
    node.haltAt(death.point());
    End end = victim.run(node.address());
    node.awaitDeath();
    if (victim instanceof RawGet get) {
      get.waitAt(Long.MAX_VALUE);
    }

    long acknowledged = victim.acknowledged();
    switch (death.stood()) {
      case BETWEEN -> assertThat(victim.isBetween()).as("counts: %s", victim).isTrue();
      case AT_START -> assertThat(acknowledged).isZero();
      case AT_END -> {
        // the node has sent the last OFFSET, whether it arrived or not
        assertThat(acknowledged).isPositive();
        victim.acknowledged(content.size());
      }
    }
    if (death.stood() != Stood.AT_END) {
      assertThat(end).as(victim.loss()).isEqualTo(End.LOST);
    }
    String shown = death.shows() == Shows.NEW ? content.sha256Hex() : old;
    show(name, shown);
    assertThat(Visible.onDisk(node)).as("names, on the disk of the dead node").isEqualTo(EXPECTED);

    node.restart();
    assertThat(Visible.stat(node, name).orElse("")).as("STAT after the restart").isEqualTo(shown);
    assertThat(Visible.list(node).keySet()).as("LIST").isEqualTo(EXPECTED.keySet());
    assertThat(victim.run(node.address())).as(victim.loss()).isEqualTo(End.COMPLETE);
    OFFSETS.add(
        "%-22s %-14s %10d %10d %10s"
            .formatted(death.point(), death.kind(), acknowledged, content.size(), last(victim)));
    if (death.kind().isPut()) {
      finishPut(victim, name, content);
    }
    assertThat(Visible.onDisk(node)).as("names, on the disk").isEqualTo(EXPECTED);
  }

  private static RawTransfer victim(Death death, String name, Content content) {
    int packet = death.size() == LARGE ? LARGE_PACKET : PACKET;
    return switch (death.kind()) {
      case PUT_WITH_SIZE -> new RawPut(name, content, /* sized= */ true, packet, packet);
      case PUT_WITH_END -> new RawPut(name, content, /* sized= */ false, packet, packet);
      // however slow the journal is, the mark is not overtaken by the end
      case GET ->
          new RawGet(name, content, /* window= */ 0, GET_PACKET)
              .waitAt(death.stood() == Stood.BETWEEN ? death.size() - GET_PACKET : Long.MAX_VALUE);
    };
  }

  /** Puts what is to be there before; gives its SHA-256, or nothing. */
  private static String prepare(Death death, String name, Content content) {
    Content before =
        death.kind() == Kind.GET
            ? content
            : death.replaces() ? Content.random(-number, 99_999) : null;
    if (before == null) {
      return "";
    }
    RawPut put = new RawPut(name, before, /* sized= */ true, LARGE_PACKET, Long.MAX_VALUE);
    assertThat(put.run(node.address())).as(put.loss()).isEqualTo(End.COMPLETE);
    show(name, before.sha256Hex());
    return before.sha256Hex();
  }

  /** A PUT that was begun before has an actor that waits for its client. */
  private static int kept(Death death) {
    return death.begunBefore() && death.kind().isPut() ? 1 : 0;
  }

  private static void finishPut(RawTransfer victim, String name, Content content) {
    show(name, content.sha256Hex());
    assertThat(Visible.stat(node, name)).as("STAT").contains(content.sha256Hex());
    // as if COMPLETE had been lost; that the Identity is the same is checked inside
    victim.acknowledged(content.size());
    assertThat(victim.run(node.address())).as(victim.loss()).isEqualTo(End.COMPLETE);
    RawGet get = new RawGet(name, content, LARGE_PACKET, LARGE_PACKET);
    assertThat(get.run(node.address())).as(get.loss()).isEqualTo(End.COMPLETE);
    soon().untilAsserted(() -> assertThat(Visible.parts(node)).as("left in staging").isEmpty());
  }

  private static ConditionFactory soon() {
    return await().atMost(Duration.ofMinutes(1)).pollInterval(Duration.ofMillis(10));
  }

  private static void show(String name, String sha256) {
    if (!sha256.isEmpty()) {
      EXPECTED.put(name, sha256);
    }
  }

  private static String last(RawTransfer transfer) {
    List<Long> begun = transfer.begunAt();
    return begun.isEmpty() ? "-" : String.valueOf(begun.get(begun.size() - 1));
  }
}
