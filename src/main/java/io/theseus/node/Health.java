package io.theseus.node;

import io.theseus.admin.NodeStatus;
import io.theseus.admin.NodeStatus.Member;
import io.theseus.admin.NodeStatus.Part;
import io.theseus.journal.JournalStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Judges the parts of a node: each is normal, or has a reason. Pure, so that every case is tested.
 */
final class Health {
  private Health() {}

  /** The cluster: joined, complete and reachable. */
  static Part cluster(NodeSettings.Cluster settings, NodeStatus.Cluster cluster) {
    if (!cluster.waitsFor().isEmpty()) {
      return new Part("cluster", "joining", cluster.waitsFor() + "; clients are served meanwhile");
    }
    List<String> reasons = new ArrayList<>();
    Set<String> missing = new TreeSet<>(settings.nodes());
    for (Member member : cluster.members()) {
      missing.remove(member.node());
      if (!member.reachable()) {
        reasons.add(member.node() + " at " + member.address() + " can't be reached");
      }
    }
    if (!missing.isEmpty()) {
      reasons.add(
          missing.stream().collect(Collectors.joining(", "))
              + (missing.size() == 1 ? " has" : " have")
              + " not joined (theseus.cluster.nodes names "
              + settings.nodes().size()
              + " nodes)");
    }
    return reasons.isEmpty()
        ? Part.normal("cluster")
        : new Part("cluster", "incomplete", String.join("; ", reasons));
  }

  /** Control: does it answer. */
  static Part control(boolean answers) {
    return answers
        ? Part.normal("control")
        : new Part(
            "control",
            "silent",
            "it has not answered: the actor system is starting again, or overloaded; new transfers"
                + " wait or are told `busy`");
  }

  /** The disk under the files: is it sound, and has it room for uploads. */
  static Part disk(NodeSettings.Store settings, long freeBytes, Optional<String> failure) {
    if (failure.isPresent()) {
      return new Part(
          "disk",
          "failed",
          "uploads and deletions are refused until the node is started again: " + failure.get());
    }
    if (freeBytes < 0) {
      return new Part("disk", "unknown", "free space of " + settings.root() + " can't be read");
    }
    if (freeBytes <= settings.restBytes()) {
      return new Part(
          "disk",
          "full",
          "uploads are refused: "
              + freeBytes
              + " bytes free at "
              + settings.root()
              + ", and theseus.store.rest-bytes keeps "
              + settings.restBytes());
    }
    return Part.normal("disk");
  }

  /** Descriptors: are there enough for more connections and files. */
  static Part descriptors(Descriptors descriptors, long open) {
    return descriptors.limit() - open >= descriptors.kept() / 2
        ? Part.normal("descriptors")
        : new Part(
            "descriptors",
            "short",
            open
                + " are open of "
                + descriptors.limit()
                + " that may be; clients are told `busy` where none is left: "
                + Descriptors.REMEDY);
  }

  /** The journal: does it take writes. */
  static Part journal(Optional<JournalStatus> journal) {
    if (journal.isEmpty()) {
      return new Part("journal", "closed", "the actor system is starting");
    }
    Optional<String> failure = journal.get().failure();
    return failure.isEmpty()
        ? Part.normal("journal")
        : new Part(
            "journal",
            "failed",
            "uploads are not acknowledged until the node is started again: " + failure.get());
  }
}
