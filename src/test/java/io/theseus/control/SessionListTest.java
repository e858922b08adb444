package io.theseus.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.theseus.control.Control.Killed;
import io.theseus.session.SessionSummary;
import io.theseus.session.SessionSummary.State;
import io.theseus.steps.Steps;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Listing many sessions, and ending one in the middle of anything. */
final class SessionListTest {
  private static final int MIB = 1 << 20;
  private static final UUID SESSION = UUID.fromString("6b7e0f3a-1111-4222-8333-123456789abe");

  @TempDir Path directory;

  private TestNode node(Steps steps) {
    return new TestNode(directory, steps, TestNode.unhurried());
  }

  private static List<SessionSummary> list(TestNode node) throws Exception {
    return node.control().sessions().get(TestNode.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void shouldListMoreThanOneBatchOnEachLane() throws Exception {
    int many = 1500;
    try (TestNode node = node(Steps.NONE)) {
      byte[] content = node.write("in", 1000);
      List<FakeLink> links = new ArrayList<>();
      for (int i = 0; i < many; i++) {
        FakeLink link = FakeLink.reading(content).stopAt(100);
        links.add(link);
        node.open(link, "GET in\n");
      }
      await()
          .atMost(TestNode.PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(list(node))
                      .hasSize(many)
                      .allSatisfy(each -> assertThat(each.state()).isEqualTo(State.LIVE)));
      assertThat(list(node)).extracting(SessionSummary::session).doesNotHaveDuplicates();
      links.forEach(FakeLink::lose);
      node.awaitNoSession();
      assertThat(list(node)).isEmpty();
    }
  }

  @Test
  void shouldNotListWhatOnlyTheJournalKnows() throws Exception {
    byte[] content = TestNode.content(5 * MIB);
    String put = "PUT out\nSession: " + SESSION + "\nSize: " + content.length + "\n";
    try (TestNode node = node(Steps.NONE)) {
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true).stopAt(3 * MIB + 7);
      node.open(link, put);
      await().atMost(TestNode.PATIENCE).until(() -> link.acked() == 3 * MIB);
    }
    try (TestNode node = node(Steps.NONE)) {
      // a lane's actor may start after control's
      await().atMost(TestNode.PATIENCE).ignoreExceptions().until(() -> list(node).isEmpty());
      assertThat(node.counts()).isEqualTo(new ControlActor.Counts(0, 1));
      assertThat(node.control().kill(SESSION, "why").get()).isEqualTo(Killed.DETACHED);
      assertThat(node.counts()).isEqualTo(new ControlActor.Counts(0, 1));
      // it has begun, so it is resumed though none may begin
      node.control().accept(false);
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(link, put);
      await().atMost(TestNode.PATIENCE).until(link::finished);
    }
  }

  @Test
  void shouldSayThatThereIsNobodyToAsk() throws Exception {
    try (TestNode node = node(Steps.NONE)) {
      await().atMost(TestNode.PATIENCE).ignoreExceptions().until(() -> list(node).isEmpty());
      node.control().orphaned();
      assertThatThrownBy(() -> list(node)).hasMessageContaining("the node is starting");
      assertThatThrownBy(() -> node.control().kill(SESSION, "why").get())
          .hasMessageContaining("the node is starting");
    }
  }

  /** The point is one of the disk's: the session waits for what it began there. */
  @ParameterizedTest
  @CsvSource({"put.part-created, false", "commit.decided, true"})
  void shouldEndAConnectionWhileTheDiskIsAtWork(String point, boolean visible) throws Exception {
    CountDownLatch there = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Steps steps =
        name -> {
          if (name.equals(point)) {
            there.countDown();
            try {
              goOn.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
        };
    byte[] content = TestNode.content(3 * MIB);
    try (TestNode node = node(steps)) {
      FakeLink link = FakeLink.sending(content, MIB, /* sized= */ true);
      node.open(link, "PUT out\nSession: " + SESSION + "\nSize: " + content.length + "\n");
      assertThat(there.await(TestNode.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(node.control().kill(SESSION, "why").get()).isEqualTo(Killed.ENDED);
      await().atMost(TestNode.PATIENCE).until(() -> link.failure().isPresent());
      assertThat(link.failure()).contains("denied: why");
      goOn.countDown();
      node.awaitNoSession();
      if (visible) {
        // all of it was here
        assertThat(node.file("out")).hasBinaryContent(content);
      } else {
        assertThat(node.file("out")).doesNotExist();
      }
      assertThat(node.parts()).isEmpty();
      assertThat(node.openSessions()).isEmpty();
    }
  }
}
