package io.theseus.node;

import io.theseus.access.Identity;
import io.theseus.admin.NodeStatus;
import io.theseus.admin.NodeStatus.Member;
import io.theseus.admin.NodeStatus.Part;
import io.theseus.journal.JournalStatus;
import io.theseus.upgrade.UpgradeView;
import java.time.Duration;
import java.time.Instant;
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
  private static final Duration SOON = Duration.ofDays(30);

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

  /** The code that moves the data: is it what the cluster agreed on. */
  static Part code(Optional<UpgradeView> view) {
    if (view.isEmpty() || view.get().serving().isEmpty()) {
      return new Part(
          "code",
          "waiting",
          "no client is served yet: "
              + view.map(each -> each.failure().orElse(each.standing())).orElse("starting"));
    }
    UpgradeView seen = view.get();
    if (seen.failure().isPresent()) {
      return new Part("code", "failing", seen.failure().get());
    }
    if (seen.confirmed().paused()) {
      return new Part("code", "paused", "all transfers are held (`theseus admin resume`)");
    }
    return Part.normal("code");
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

  /** An operator wants no sessions to begin. */
  static Part notAccepting() {
    return new Part(
        "accepting",
        "stopped",
        "new sessions are told `busy`, those that are here go on, until `theseus admin accept`");
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

  /** The limits of the store: may it take more. */
  static Part quota(NodeStatus.Quota quota) {
    List<String> reasons = new ArrayList<>();
    if (quota.maxBytes() > 0 && quota.usedBytes() >= quota.maxBytes()) {
      reasons.add(
          quota.usedBytes() + " bytes are used of theseus.store.max-bytes, " + quota.maxBytes());
    }
    if (quota.maxFiles() > 0 && quota.usedFiles() >= quota.maxFiles()) {
      reasons.add(
          quota.usedFiles() + " files are there of theseus.store.max-files, " + quota.maxFiles());
    }
    return reasons.isEmpty()
        ? Part.normal("quota")
        : new Part(
            "quota", "full", "uploads that need more are refused: " + String.join("; ", reasons));
  }

  /** Copies on other nodes: can as many be made as are wanted, and are they there. */
  static Part backups(NodeStatus.Backups backups) {
    List<String> reasons = new ArrayList<>();
    if (backups.known() < backups.factor()) {
      reasons.add(
          backups.known()
              + " can be reached and chosen, theseus.backup.factor wants "
              + backups.factor());
    }
    if (backups.shortOfCopies() > 0) {
      reasons.add(
          backups.shortOfCopies()
              + " uploads have bytes that were acknowledged and are on too few nodes");
    }
    return reasons.isEmpty()
        ? Part.normal("backups")
        : new Part("backups", "short", String.join("; ", reasons));
  }

  /** Files: are they what was stored, and on as many nodes as are wanted. */
  static Part files(NodeStatus.Files files) {
    List<String> reasons = new ArrayList<>();
    if (files.rotten() > 0) {
      reasons.add(
          files.rotten()
              + " are not what was stored, and are not served until they are repaired or replaced: "
              + String.join(", ", files.rottenNames())
              + (files.rotten() > files.rottenNames().size() ? ", ..." : ""));
    }
    if (files.shortOfCopies() > 0 && !files.copying()) {
      reasons.add(files.shortOfCopies() + " are on fewer nodes than theseus.backup.factor wants");
    }
    if (!files.waitsFor().isEmpty()) {
      reasons.add("nothing is copied yet, waiting " + files.waitsFor());
    }
    if (files.aside() > 0) {
      reasons.add(
          files.aside()
              + " were set aside, as other nodes have a newer one or may have deleted them: look at"
              + " them, and remove them from "
              + files.asideDir());
    }
    String state =
        files.rotten() > 0
            ? "rotten"
            : reasons.size() == 1 && files.aside() > 0 ? "set aside" : "short";
    return reasons.isEmpty()
        ? Part.normal("files")
        : new Part("files", state, String.join("; ", reasons));
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

  /**
   * A certificate: is it what its files say, and valid for a while.
   *
   * @param problem why its files are not in use
   */
  static Part certificate(String name, Instant expires, Optional<String> problem, Instant now) {
    String when = Identity.text(expires);
    if (!expires.isAfter(now)) {
      return new Part(
          name,
          "expired",
          "at "
              + when
              + ", nobody accepts it any more; put a new one into its place"
              + problem.map(why -> " (what is there was not taken: " + why + ")").orElse(""));
    }
    if (problem.isPresent()) {
      return new Part(
          name,
          "not taken",
          problem.get() + "; the one before, valid until " + when + ", stays in use");
    }
    return expires.isAfter(now.plus(SOON))
        ? Part.normal(name)
        : new Part(
            name, "expires soon", "at " + when + "; put a new one into its place before that");
  }

  /** The file of tokens: is it what is in use. */
  static Part tokens(int count, Optional<String> problem) {
    return problem.isEmpty()
        ? Part.normal("tokens")
        : new Part(
            "tokens",
            "not taken",
            problem.get() + "; the " + count + " that were read before stay in use");
  }
}
