package io.theseus.upgrade;

import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a node is to do: the revision that serves, one that some sessions try, and whether transfers
 * are held. Every act replaces one course by another, so all of them are staged, switched and
 * undone in the same way.
 *
 * @param canary null for none
 */
public record Course(RevisionId revision, @Nullable Canary canary, boolean paused) {
  /** Checked. */
  public Course {
    Objects.requireNonNull(revision, "revision");
    if (canary != null && canary.revision().equals(revision)) {
      throw new IllegalArgumentException("canary: " + revision + " (expected: another revision)");
    }
  }

  /** One revision for all. */
  public static Course of(RevisionId revision) {
    return new Course(revision, null, /* paused= */ false);
  }

  Course with(RevisionId other) {
    return new Course(other, null, paused);
  }

  Course with(Canary other) {
    return new Course(revision, other, paused);
  }

  Course withPaused(boolean other) {
    return new Course(revision, canary, other);
  }

  /** What has to be ready for it. */
  Set<RevisionId> revisions() {
    return canary == null ? Set.of(revision) : Set.of(revision, canary.revision());
  }

  /** Whether the same sessions run the same code. */
  boolean runsAs(@Nullable Course other) {
    return other != null && revision.equals(other.revision) && Objects.equals(canary, other.canary);
  }

  @Override
  public String toString() {
    return revision + (canary == null ? "" : ", " + canary) + (paused ? ", paused" : "");
  }
}
