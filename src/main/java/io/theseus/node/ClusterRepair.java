package io.theseus.node;

import akka.actor.typed.ActorRef;
import io.theseus.admin.OperationException;
import io.theseus.admin.Operations.RottenFile;
import io.theseus.admin.Operations.Verification;
import io.theseus.repair.Remote;
import io.theseus.repair.RepairActor;
import io.theseus.repair.ScrubStatus;
import io.theseus.wire.FileName;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** The files of all nodes, and whether they are what was stored, as each node says. */
final class ClusterRepair {
  private final Fellows fellows;

  ClusterRepair(Fellows fellows) {
    this.fellows = fellows;
  }

  /** Begins to read. */
  List<Verification> verify(String prefix, String who) throws OperationException {
    int length = prefix.getBytes(StandardCharsets.UTF_8).length;
    if (length > FileName.MAX_BYTES) {
      throw new OperationException(
          "prefix of " + length + " bytes (expected: at most " + FileName.MAX_BYTES + ")");
    }
    return ask(replyTo -> new Remote.Verify(prefix, who, replyTo));
  }

  /** How far that is. */
  List<Verification> verification() throws OperationException {
    return ask(Remote.Look::new);
  }

  private List<Verification> ask(Function<ActorRef<Remote.Reading>, RepairActor.Command> question)
      throws OperationException {
    Map<String, Optional<CompletionStage<Remote.Reading>>> asked = new TreeMap<>();
    for (String node : fellows.nodes()) {
      asked.put(node, fellows.ask(node, RepairActor.NAME, question));
    }
    List<Verification> all = new ArrayList<>();
    asked.forEach((node, answer) -> all.add(of(node, answer)));
    return all;
  }

  private static Verification of(String node, Optional<CompletionStage<Remote.Reading>> answer) {
    if (answer.isEmpty()) {
      return of(node, ScrubStatus.NONE, Fellows.NO_MEMBER);
    }
    try {
      Remote.Reading reading = ClusterOperations.await(answer.get(), node);
      return of(
          node,
          reading.status(),
          reading.refusal().isEmpty() ? reading.status().failure() : reading.refusal());
    } catch (OperationException e) {
      return of(node, ScrubStatus.NONE, String.valueOf(e.getMessage()));
    }
  }

  private static Verification of(String node, ScrubStatus status, String failure) {
    return new Verification(
        node,
        status.running() && failure.isEmpty(),
        status.files(),
        status.bytes(),
        status.totalFiles(),
        status.totalBytes(),
        status.adopted(),
        status.rotten(),
        status.repaired(),
        status.findings().stream()
            .map(each -> new RottenFile(each.name(), each.repairedFrom(), each.reason()))
            .toList(),
        failure);
  }
}
