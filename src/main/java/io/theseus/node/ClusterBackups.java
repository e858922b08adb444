package io.theseus.node;

import io.theseus.admin.OperationException;
import io.theseus.admin.Operations.BackupList;
import io.theseus.admin.Operations.BackupView;
import io.theseus.admin.Operations.Drained;
import io.theseus.backup.Backup;
import io.theseus.backup.BackupNode;
import io.theseus.backup.Remote;
import io.theseus.backup.Replicas;
import io.theseus.backup.Replicator;
import io.theseus.wire.Texts;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The backups of the cluster, and what an operator does to them. */
final class ClusterBackups {
  private final String node;
  private final Fellows fellows;
  private final @Nullable Replicas replicas;

  /**
   * As a node sees them.
   *
   * @param replicas null for a node that is alone
   */
  ClusterBackups(String node, Fellows fellows, @Nullable Replicas replicas) {
    this.node = node;
    this.fellows = fellows;
    this.replicas = replicas;
  }

  BackupList list() {
    Replicas known = replicas;
    return known == null
        ? new BackupList(node, /* open= */ true, List.of())
        : new BackupList(
            node, known.isOpen(), known.seen().stream().map(ClusterBackups::view).toList());
  }

  private static BackupView view(Backup backup) {
    return new BackupView(
        backup.node(),
        backup.rack(),
        backup.freeBytes(),
        backup.sessions(),
        backup.behindBytes(),
        backup.draining(),
        backup.filesLeft(),
        backup.registered());
  }

  Drained drain(String backup, boolean drain, String who) throws OperationException {
    List<String> known = list().backups().stream().map(BackupView::node).toList();
    if (!known.contains(backup)) {
      throw new OperationException(
          "node: "
              + Texts.quote(backup)
              + " (expected: a backup that can be reached, of "
              + known
              + ")");
    }
    Optional<CompletionStage<Remote.Drained>> asked =
        fellows.ask(backup, BackupNode.NAME, replyTo -> new Remote.Drain(drain, who, replyTo));
    if (asked.isEmpty()) {
      throw new OperationException(backup + " " + Fellows.NO_MEMBER, /* unreachable= */ true);
    }
    Remote.Drained drained = ClusterOperations.await(asked.get(), backup);
    if (!drained.failure().isEmpty()) {
      throw new OperationException(backup + " can't keep it: " + drained.failure());
    }
    return new Drained(backup, drained.draining(), drained.running());
  }

  Map<String, String> register(boolean open, String who) throws OperationException {
    if (replicas == null) {
      throw new OperationException(
          "this node is alone (expected: others in theseus.cluster.nodes)");
    }
    return fellows.<Replicator.Command, Remote.RegistrationSet>tell(
        fellows.nodes(),
        Replicator.NAME,
        replyTo -> new Remote.SetRegistration(open, who, replyTo));
  }
}
