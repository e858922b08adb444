package io.theseus.upgrade;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Whose disks count for a majority.
 *
 * <p>A node that lost its disk has forgotten its promises, so it must not be taken for the voter
 * that it was. Each state file has an incarnation, a random number, and the voter is the pair of
 * node and incarnation. A new incarnation is let in by a state of its own, which counts only with a
 * majority of the voters before it <em>and</em> of those in it (joint consensus, section 6 of the
 * Raft paper, with the set of nodes fixed).
 *
 * @param current incarnations by node; empty until all nodes have been seen once
 * @param former those before, while the change is not yet decided; otherwise empty
 */
record Voters(Map<String, Long> current, Map<String, Long> former) {
  /** Before any node was seen. */
  static final Voters NONE = new Voters(Map.of(), Map.of());

  Voters {
    current = Map.copyOf(current);
    former = Map.copyOf(former);
  }

  boolean isFounded() {
    return !current.isEmpty();
  }

  /** Whether these answers, incarnations by node, are a majority. */
  boolean isQuorum(Map<String, Long> answers, Set<String> nodes) {
    if (!isFounded()) {
      // who votes is not known yet: only all of them can't have missed anything
      return answers.keySet().containsAll(nodes);
    }
    return suffice(current, answers) && (former.isEmpty() || suffice(former, answers));
  }

  /**
   * A majority; or where all nodes have answered, so many voters that no majority can be without
   * one of them. That is fewer where the number of nodes is even: of two nodes, one may lose its
   * disk.
   */
  private static boolean suffice(Map<String, Long> voters, Map<String, Long> answers) {
    int size = voters.size();
    long counted =
        voters.entrySet().stream()
            .filter(voter -> voter.getValue().equals(answers.get(voter.getKey())))
            .count();
    boolean all = answers.keySet().containsAll(voters.keySet());
    return counted >= majority(size) || (all && counted >= size - majority(size) + 1);
  }

  /** More than half. */
  static int majority(int size) {
    return size / 2 + 1;
  }

  /** With another incarnation of a node. */
  Voters admitting(String node, long incarnation) {
    Map<String, Long> admitted = new HashMap<>(current);
    admitted.put(node, incarnation);
    return new Voters(admitted, current);
  }

  /** When the change is decided. */
  Voters settled() {
    return new Voters(current, Map.of());
  }
}
