package io.theseus.repair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.theseus.backup.Draining;
import io.theseus.names.Holders;
import io.theseus.store.Checked;
import io.theseus.store.Committed;
import io.theseus.store.Named;
import io.theseus.store.Original;
import io.theseus.store.VersionClock;
import io.theseus.wire.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How node2 looks through its files, with other nodes that have what the test says. */
final class RefillTest {
  private final Map<String, Set<String>> keeping = new HashMap<>();
  private final Map<String, Set<String>> leaving = new HashMap<>();
  private final Set<String> old = new HashSet<>();
  private final Set<String> silent = new HashSet<>();
  private final List<String> copied = new CopyOnWriteArrayList<>();
  private final Stop stop = new Stop();
  private RepairStore files;
  private Draining draining;
  private Duration after = Duration.ofHours(1);
  private Runnable onAsked = () -> {};
  private Runnable onBrought = () -> {};
  private volatile Thread round = Thread.currentThread();
  private CompletionStage<Integer> copies = CompletableFuture.completedFuture(1);
  private Predicate<String> eligible = any -> false;
  private final List<String> brought = new ArrayList<>();
  private String brings = "";
  private final AtomicLong nanos = new AtomicLong();
  private int more;

  @BeforeEach
  void open(@TempDir Path directory) throws Exception {
    files = new RepairStore(directory);
    draining = Draining.in(directory.resolve("drain"));
  }

  @AfterEach
  void close() throws Exception {
    files.close();
  }

  private Refill refill() {
    return new Refill(
        new RepairSettings("node2", 1, after, 0, Duration.ZERO, 0, files.root),
        files.store,
        this::holders,
        this::copy,
        new Mending(files.store, this::holders, this::bring, stop),
        draining,
        stop,
        new Rate(0, System::nanoTime),
        (task, nanos) -> task.run(),
        Clock.systemUTC(),
        nanos::get);
  }

  private CompletionStage<Holders> holders(List<Named> asked) {
    onAsked.run();
    List<Holders.Held> held = new ArrayList<>();
    for (Named each : asked) {
      String name = each.name().value();
      held.add(
          new Holders.Held(
              each,
              keeping.getOrDefault(name, Set.of()),
              leaving.getOrDefault(name, Set.of()),
              old.contains(name)));
    }
    return CompletableFuture.completedFuture(new Holders(held, silent));
  }

  private CompletionStage<Integer> copy(
      Original original, Committed file, int wanted, Predicate<String> where) {
    assertThat(original.name()).isEqualTo(file.name());
    copied.add(file.name().value());
    more = wanted;
    eligible = where;
    return copies;
  }

  private String bring(String node, FileName name, String version) {
    brought.add(name + " from " + node);
    onBrought.run();
    if (brings.isEmpty()) {
      try {
        files.put(name.value(), "content", version);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
    return brings;
  }

  private Refill.Outcome round() throws Exception {
    return refill().round(Set.of(), draining.isOn());
  }

  private boolean isHere(String name) {
    return Files.exists(files.root.resolve(name));
  }

  // ---- on too few nodes

  @Test
  void shouldCopyWhatIsOnTooFewNodes() throws Exception {
    files.put("alone", "content");
    files.put("safe", "content");
    files.put("old", "content");
    keeping.put("safe", Set.of("node1"));
    old.add("old");
    Refill refill = refill();
    assertThat(refill.round(Set.of(), false).whole()).isTrue();
    assertThat(copied).containsExactly("alone");
    assertThat(more).isOne();
    RefillStatus status = refill.status(false, "");
    assertThat(status.looked()).isEqualTo(3);
    assertThat(status.copiedFiles()).isOne();
    assertThat(status.copiedBytes()).isEqualTo(7);
    assertThat(status.shortFiles()).isZero();
  }

  @Test
  void shouldLeaveItToTheFirstOfThoseThatHaveIt() throws Exception {
    files.put("f", "content");
    leaving.put("f", Set.of("node9"));
    Refill refill = refill();
    assertThat(refill.round(Set.of(), false).whole()).isFalse();
    assertThat(copied).isEmpty();
    // who sees to it says what becomes of it
    assertThat(refill.status(false, "").shortFiles()).isZero();
  }

  @Test
  void shouldSayWhatCannotBeCopied() throws Exception {
    files.put("f", "content");
    copies = CompletableFuture.completedFuture(0);
    Refill refill = refill();
    assertThat(refill.round(Set.of(), false).whole()).isFalse();
    assertThat(refill.status(false, "").shortFiles()).isOne();
    assertThat(refill.status(false, "").copiedFiles()).isZero();
  }

  @Test
  void shouldLeaveWhatCameJustNow() throws Exception {
    after = RepairStore.AGE.plusMinutes(10);
    files.put("f", "content");
    Refill refill = refill();
    assertThat(refill.round(Set.of(), false).whole()).isFalse();
    assertThat(copied).isEmpty();
    assertThat(refill.status(false, "").shortFiles()).isZero();
  }

  @Test
  void shouldNotWaitForATimeThatIsToCome() throws Exception {
    Clock wrong = Clock.offset(Clock.systemUTC(), Duration.ofDays(9));
    files.put("f", "content", new VersionClock("node3", wrong).next());
    assertThat(round().whole()).isTrue();
    assertThat(copied).containsExactly("f");
  }

  @Test
  void shouldTakeWhatAPersonPutHereForWhatItIs() throws Exception {
    after = Duration.ZERO;
    Files.writeString(Files.createDirectories(files.root).resolve("by-hand"), "content");
    assertThat(round().whole()).isTrue();
    assertThat(copied).containsExactly("by-hand");
    assertThat(files.store.contents().committed(FileName.parse("by-hand"))).isPresent();
  }

  @Test
  void shouldLookAgainAtWhatIsAnotherOneByNow() throws Exception {
    files.put("gone", "content");
    files.put("replaced", "content");
    onAsked =
        () -> {
          try {
            var unused = files.store.delete(FileName.parse("gone"), java.util.Optional.empty());
            files.put("replaced", "another");
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        };
    Refill refill = refill();
    assertThat(refill.round(Set.of(), false).whole()).isFalse();
    assertThat(copied).isEmpty();
    assertThat(refill.status(false, "").shortFiles()).isZero();
  }

  private void putRotten(String name) throws Exception {
    files.put(name, "content");
    files.rot(name);
    Checked checked = files.store.contents().check(FileName.parse(name), bytes -> {});
    files.store.contents().condemn(FileName.parse(name), checked);
  }

  @Test
  void shouldNotCopyWhatIsRotten() throws Exception {
    putRotten("f");
    Refill refill = refill();
    assertThat(refill.round(Set.of(), false).whole()).isFalse();
    assertThat(copied).isEmpty();
    assertThat(brought).isEmpty();
    assertThat(refill.status(false, "").shortFiles()).isOne();
  }

  @Test
  void shouldTryAgainToRepairWhatIsRotten() throws Exception {
    putRotten("f");
    keeping.put("f", Set.of("node3", "node4"));
    brings = "busy: the disk is full";
    assertThat(round().whole()).isFalse();
    assertThat(brought).containsExactly("f from node3", "f from node4");
    brings = "";
    assertThat(round().whole()).isTrue();
    assertThat(brought).hasSize(3);
    assertThat(files.store.contents().rotten()).isEmpty();
    assertThat(round().whole()).isTrue();
    assertThat(brought).hasSize(3);
  }

  /** What is rotten is no copy. */
  @Test
  void shouldSayThatWhatIsRottenIsOnTooFewNodes() throws Exception {
    putRotten("f");
    keeping.put("f", Set.of("node3"));
    brings = "busy: the disk is full";
    Refill refill = refill();
    assertThat(refill.round(Set.of(), false).whole()).isFalse();
    assertThat(refill.status(false, "").shortFiles()).isOne();
  }

  @Test
  void shouldHaveNothingBroughtWhereItIsEmptied() throws Exception {
    putRotten("f");
    keeping.put("f", Set.of("node3"));
    draining.set(true);
    assertThat(round()).isEqualTo(new Refill.Outcome(false, 1));
    assertThat(brought).isEmpty();
  }

  @Test
  void shouldCopyNothingWhereItIsNotKnownWhoHasIt() throws Exception {
    files.put("f", "content");
    silent.add("node1");
    assertThat(round()).isEqualTo(new Refill.Outcome(false, -1));
    assertThat(copied).isEmpty();
    // but where its files are taken for lost
    assertThat(refill().round(Set.of("node1"), false)).isEqualTo(new Refill.Outcome(true, 0));
    assertThat(copied).containsExactly("f");
  }

  /** Between rounds it rests for many times what it looked. */
  @Test
  void shouldNotTakeForLookingWhatItWaitsForOthers() throws Exception {
    files.put("copied", "content");
    putRotten("rotten");
    keeping.put("rotten", Set.of("node3"));
    CompletableFuture<Integer> copy = new CompletableFuture<>();
    copies = copy;
    onAsked = () -> nanos.addAndGet(7); // twice: by who mends, and by who looks
    onBrought = () -> nanos.addAndGet(300);
    Refill refill = refill();
    CompletableFuture<Long> waited =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                refill.round(Set.of(), false);
                return refill.waitedNanos();
              } catch (IOException | InterruptedException e) {
                throw new CompletionException(e);
              }
            },
            task -> {
              round = new Thread(task);
              round.start();
            });
    await().until(() -> !copied.isEmpty() && round.getState() == Thread.State.WAITING);
    nanos.addAndGet(5000);
    copy.complete(1);
    assertThat(waited.join()).isEqualTo(5307);
    silent.add("node1");
    assertThat(refill.round(Set.of(), false).whole()).isFalse();
    assertThat(refill.waitedNanos()).isEqualTo(7);
  }

  @Test
  void shouldWaitForNoCopyOnceTheNodeStops() throws Exception {
    files.put("f", "content");
    copies = new CompletableFuture<>();
    Refill refill = refill();
    CompletableFuture<Void> asked = new CompletableFuture<>();
    onAsked = () -> asked.complete(null);
    CompletableFuture<Void> stopping =
        asked.thenRunAsync(
            () -> {
              stop.stop();
              refill.stopped();
            });
    assertThatThrownBy(() -> refill.round(Set.of(), false))
        .isInstanceOf(InterruptedException.class)
        .hasMessage("the node stops");
    stopping.join();
  }

  // ---- emptied

  @Test
  void shouldLetGoOfWhatIsOnEnoughOthers() throws Exception {
    files.put("enough", "content");
    files.put("leaving", "content");
    files.put("one", "content");
    keeping.put("enough", Set.of("node1", "node3"));
    keeping.put("leaving", Set.of("node1"));
    leaving.put("leaving", Set.of("node3"));
    keeping.put("one", Set.of("node3"));
    draining.set(true);
    assertThat(round()).isEqualTo(new Refill.Outcome(false, 2));
    assertThat(isHere("enough")).isFalse();
    assertThat(isHere("leaving")).isTrue();
    assertThat(isHere("one")).isTrue();
    assertThat(copied).containsExactlyInAnyOrder("leaving", "one");
    assertThat(more).isOne();
    assertThat(eligible.test("node4")).isTrue();
    assertThat(eligible.test("node3")).isFalse();
    // what is on enough others goes first, as long as that is known
    keeping.put("leaving", Set.of("node1", "node4"));
    keeping.put("one", Set.of("node3", "node4"));
    assertThat(round()).isEqualTo(new Refill.Outcome(true, 0));
  }

  @Test
  void shouldNotSayThatNothingIsLeftWhereNotAllWasLookedAt() throws Exception {
    files.put("f", "content");
    keeping.put("f", Set.of("node1", "node3"));
    silent.add("node4");
    draining.set(true);
    assertThat(round()).isEqualTo(new Refill.Outcome(false, -1));
    assertThat(isHere("f")).isTrue();
  }

  /** Another node that is emptied next must not count on what goes just then. */
  @Test
  void shouldCountAsLeavingUntilWhatItLetsGoOfIsGone() throws Exception {
    files.put("f", "content");
    keeping.put("f", Set.of("node1", "node3"));
    draining.set(true);
    List<Boolean> said = new ArrayList<>();
    onAsked =
        () -> {
          try {
            draining.set(false);
          } catch (java.io.IOException e) {
            throw new AssertionError(e);
          }
          said.add(draining.isLeaving());
        };
    assertThat(round()).isEqualTo(new Refill.Outcome(true, 0));
    assertThat(said).containsExactly(true);
    assertThat(draining.isLeaving()).isFalse();
  }

  @Test
  void shouldLetGoOfNothingOnceThatIsUndone() throws Exception {
    files.put("f", "content");
    keeping.put("f", Set.of("node1", "node3"));
    assertThat(refill().round(Set.of(), /* leaving= */ true))
        .isEqualTo(new Refill.Outcome(false, -1));
    assertThat(isHere("f")).isTrue();
    assertThat(draining.isLeaving()).isFalse();
  }
}
