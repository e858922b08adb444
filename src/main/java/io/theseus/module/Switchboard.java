package io.theseus.module;

import java.util.Optional;
import java.util.UUID;

/**
 * Which revision serves which session on this node, now: one volatile reference. Sessions that
 * begin look for themselves; those that are there are taken to it.
 */
public final class Switchboard {
  /**
   * Sessions that run another revision than the others, to try it.
   *
   * @param session that one alone; empty for a share of all
   * @param percent of the sessions, by their id; the same ones on every node
   */
  public record Canary(Revision revision, Optional<UUID> session, int percent) {
    boolean covers(UUID id) {
      return session.isPresent()
          ? session.get().equals(id)
          : Math.floorMod(id.getLeastSignificantBits() ^ id.getMostSignificantBits(), 100)
              < percent;
    }
  }

  /**
   * What is in force.
   *
   * @param generation +1 for each switch
   * @param stable where sessions go whose code fails
   */
  public record Current(
      long generation, Revision revision, Optional<Canary> canary, Revision stable) {
    /** What a session runs. */
    public Revision of(UUID session) {
      return canary.isPresent() && canary.get().covers(session)
          ? canary.get().revision()
          : revision;
    }
  }

  private volatile Current current =
      new Current(1, Revision.builtIn(), Optional.empty(), Revision.builtIn());

  private volatile boolean paused;

  /** Whether all sessions of the node are to stand still; those that begin, too. */
  public boolean isPaused() {
    return paused;
  }

  /** Says whether they are. */
  public void pause(boolean all) {
    paused = all;
  }

  /** What is in force. */
  public Current current() {
    return current;
  }

  /** The number of the last switch. */
  public long generation() {
    return current.generation();
  }

  /** Switches: from now on sessions begin under it, and those that are there follow. */
  public synchronized Current publish(Revision revision, Optional<Canary> canary, Revision stable) {
    Current next = new Current(current.generation() + 1, revision, canary, stable);
    current = next;
    return next;
  }
}
