package io.theseus.upgrade;

import java.util.Objects;

/**
 * What a node is to do: the revision that serves, and whether transfers are held. Every act
 * replaces one course by another, so all of them are staged, switched and undone in the same way.
 */
public record Course(RevisionId revision, boolean paused) {
  /** Checked. */
  public Course {
    Objects.requireNonNull(revision, "revision");
  }

  Course with(RevisionId other) {
    return new Course(other, paused);
  }

  Course withPaused(boolean other) {
    return new Course(revision, other);
  }

  @Override
  public String toString() {
    return paused ? revision + ", paused" : revision.toString();
  }
}
