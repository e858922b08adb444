package io.theseus.session;

import io.theseus.backup.LeastLoaded;
import io.theseus.backup.Targets;
import io.theseus.channel.BackupPolicy.Candidate;
import io.theseus.channel.BackupPolicy.Upload;
import io.theseus.module.Revision;
import io.theseus.module.SessionCode;
import io.theseus.module.Switchboard;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where copies go by the backup policy of the revision that serves a session, which is asked on a
 * thread of its own. Where that has none, the least loaded node is chosen; where it fails, it is
 * not asked again, and the stable revision decides as if it served the session.
 */
public final class CopyTargets implements Targets {
  private static final Logger LOG = LoggerFactory.getLogger(CopyTargets.class);

  private final Switchboard switchboard;
  private final Misbehaviour.Listener misbehaviours;

  /** The ids of revisions whose policy failed. */
  private final Set<String> fallen = ConcurrentHashMap.newKeySet();

  /**
   * By what is in force.
   *
   * @param misbehaviours hears of policies that fail
   */
  public CopyTargets(Switchboard switchboard, Misbehaviour.Listener misbehaviours) {
    this.switchboard = switchboard;
    this.misbehaviours = misbehaviours;
  }

  /** Whose policy decides; empty for the choice that is built in. */
  private Optional<Revision> deciding(UUID session) {
    Switchboard.Current current = switchboard.current();
    return Stream.of(current.of(session), current.revision(), current.stable())
        .filter(each -> !fallen.contains(each.id()) && !each.isAbandoned())
        .findFirst()
        .filter(each -> each.backup().isPresent());
  }

  @Override
  public String policy(UUID session) {
    return deciding(session).flatMap(Revision::backup).map(Revision.Component::content).orElse("");
  }

  @Override
  public CompletionStage<String> choose(Upload upload, List<Candidate> candidates) {
    Optional<Revision> asked = deciding(upload.session());
    if (asked.isEmpty()) {
      return CompletableFuture.completedFuture(LeastLoaded.of(candidates));
    }
    return asked
        .get()
        .choose(upload, candidates)
        .handle((node, failure) -> after(asked.get(), upload, candidates, node, failure))
        .thenCompose(Function.identity());
  }

  private CompletionStage<String> after(
      Revision asked,
      Upload upload,
      List<Candidate> candidates,
      @Nullable String node,
      @Nullable Throwable failure) {
    if (node != null) {
      return CompletableFuture.completedFuture(node);
    }
    // where it was let go of just before, that is no fault of it
    if (!asked.isReleased() && fallen.add(asked.id())) {
      String what = SessionCode.reason(failure);
      LOG.warn("copies: revision {} chooses no more: {}", asked, what);
      misbehaviours.heard(new Misbehaviour(asked, Optional.empty(), what));
    }
    return choose(upload, candidates);
  }
}
