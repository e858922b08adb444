package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.theseus.module.Revision;
import io.theseus.module.RevisionDescription;
import io.theseus.module.Revisions;
import io.theseus.module.StagedModules;
import io.theseus.steps.Steps;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Upgrades one after another: what was replaced is gone, the transfers are whole. */
final class StagedSwitchTest {
  private static final int UPGRADES = 50;
  private static final int MIB = 1 << 20;
  private static final String CHANNEL =
      """
      import io.theseus.channel.*;
      import java.nio.ByteBuffer;
      import java.util.Optional;
      public final class Pieces implements DataChannel {
        private long served;
        @Override public Range next(Progress progress) {
          served++;
          return new Range(
              progress.position(), (int) Math.min(%d, progress.end() - progress.position()));
        }
        @Override public Optional<HandOver> handOver() {
          return Optional.of(new HandOver(1, ByteBuffer.allocate(8).putLong(served).array()));
        }
        @Override public boolean takeOver(HandOver state) {
          served = ByteBuffer.wrap(state.state()).getLong();
          return true;
        }
      }
      """;

  @TempDir Path directory;

  /** Other tests of this JVM have threads, too. */
  private static List<String> threads(List<RevisionDescription> versions) {
    return StagedModules.threads().stream()
        .filter(
            name -> versions.stream().anyMatch(each -> name.contains(each.id().substring(0, 12))))
        .toList();
  }

  @Test
  void shouldLeaveNothingOfReplacedRevisions() throws Exception {
    StagedModules modules = new StagedModules(directory.resolve("modules"));
    Revisions revisions = modules.revisions();
    List<RevisionDescription> versions = new ArrayList<>();
    for (int version = 1; version <= 2; version++) {
      versions.add(
          modules.put(
              RevisionDescription.standard(),
              "Pieces",
              "1." + version,
              CHANNEL.formatted(MIB * version)));
    }
    try (TestNode node = new TestNode(directory, Steps.NONE, TestNode.unhurried())) {
      byte[] content = node.write("in", 20 * MIB);
      List<FakeLink> links = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        FakeLink get = FakeLink.reading(content);
        node.open(get.stopAt(5 * MIB), "GET in\n");
        FakeLink put = FakeLink.sending(content, 2 * MIB, /* sized= */ true);
        node.open(put.stopAt(5 * MIB), "PUT out" + i + "\nSize: " + content.length + "\n");
        links.add(get);
        links.add(put);
      }
      await()
          .atMost(TestNode.PATIENCE)
          .until(() -> links.stream().allMatch(each -> each.position() == 5 * MIB));

      List<WeakReference<ClassLoader>> classes = new ArrayList<>();
      Revision current = Revision.builtIn();
      for (int i = 0; i < UPGRADES; i++) {
        Revision next = revisions.stage(versions.get(i % 2));
        classes.add(StagedModules.classes(next));
        node.publish(next);
        node.followSwitch();
        await().atMost(TestNode.PATIENCE).until(() -> node.behind() == 0);
        current.retire();
        current = next;
      }

      WeakReference<ClassLoader> last = classes.remove(UPGRADES - 1);
      await()
          .atMost(TestNode.PATIENCE)
          .untilAsserted(
              () -> {
                System.gc();
                assertThat(classes).allMatch(each -> each.get() == null);
              });
      assertThat(last.get()).as("in use").isNotNull();
      String threads = "module-" + current.id().substring(0, 12);
      await()
          .atMost(TestNode.PATIENCE)
          .untilAsserted(() -> assertThat(threads(versions)).containsExactly(threads + "-1"));
      for (FakeLink each : links) {
        assertThat(each.told()).hasSize(UPGRADES).endsWith("RESUMED pieces@1.2");
        each.goOn();
      }
      await()
          .atMost(TestNode.PATIENCE)
          .until(
              () -> links.stream().allMatch(each -> each.finished() || each.failure().isPresent()));
      assertThat(links).allMatch(each -> each.failure().isEmpty());
      assertThat(links.get(0).bytesRead()).isEqualTo(content);
      assertThat(node.file("out1")).hasBinaryContent(content);
      assertThat(node.misbehaviours()).isEmpty();
      node.awaitNoSession();
      current.retire();
      await().atMost(TestNode.PATIENCE).until(() -> threads(versions).isEmpty());
    }
  }
}
