package io.theseus.upgrade;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * Where revisions are loaded and serve: what coordination needs of the rest of a node.
 *
 * <p>All calls come from one thread at a time. What misbehaves after it was published is told to
 * the agent with its switch generation.
 */
public interface RevisionHost {
  /**
   * Makes a revision ready to serve: fetches it by its hash, verifies, instantiates, tests and
   * warms it. Doing it again for one that is ready is a success at once; a second call for one that
   * is being made ready gives the first attempt up.
   *
   * @return empty when it is ready, otherwise why it can't be, in words
   */
  CompletionStage<Optional<String>> stage(RevisionId revision);

  /**
   * Serves by a course from now on; its revision is staged. Returns without waiting for sessions.
   *
   * @param switchGeneration one more for each change of the revision in the life of this node's
   *     process; the same where only {@code paused} changes
   * @param stable where sessions go whose code fails; staged, too, or empty for what is built in
   */
  void publish(long switchGeneration, Course course, Optional<RevisionId> stable);

  /**
   * Lets go of all revisions but these, whether ready or being made ready. Called when an act is
   * confirmed or taken back: the one that is published is always among them.
   */
  void keep(Set<RevisionId> revisions);
}
