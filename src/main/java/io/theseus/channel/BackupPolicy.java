package io.theseus.channel;

import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * Chooses the nodes that keep copies of what a node receives ({@code theseus.backup.factor}). A
 * node policy: one object for each node, and one thread calls it at a time, so it may count.
 *
 * <p>It is asked once for each copy: when an upload begins, when a copy is lost, and, for each
 * upload that runs, after a switch that changed the policy. Where it then names other nodes than
 * those that keep copies now, the upload moves there while it goes on.
 *
 * <p>Where there is none, the least loaded node is chosen; where it fails, the policy of the stable
 * revision chooses.
 */
public interface BackupPolicy {
  /**
   * An upload of which one more copy is wanted.
   *
   * @param session its id, as in READY
   * @param name of the file
   * @param size in bytes; empty where it is not known yet
   * @param node that receives it, and keeps it too
   * @param rack of that node, {@code theseus.backup.rack}; empty where none is set
   * @param copies those that are chosen already
   */
  record Upload(
      UUID session,
      String name,
      OptionalLong size,
      String node,
      String rack,
      List<Candidate> copies) {
    public Upload {
      copies = List.copyOf(copies);
    }
  }

  /**
   * A node that can keep a copy: it can be reached, has room for it and is not being drained.
   *
   * @param node its id
   * @param rack where it stands, {@code theseus.backup.rack}; empty where none is set
   * @param freeBytes that it may still store
   * @param sessions that it keeps copies of while they run
   * @param behindBytes that came to it and are not written yet
   * @param keeps whether it has a copy of this upload already, or a part of one: to choose it costs
   *     nothing
   */
  record Candidate(
      String node, String rack, long freeBytes, int sessions, long behindBytes, boolean keeps) {}

  /**
   * The node that is to keep the next copy.
   *
   * @param candidates at least one, in the order of their ids
   * @return the id of one of them
   */
  String choose(Upload upload, List<Candidate> candidates);
}
