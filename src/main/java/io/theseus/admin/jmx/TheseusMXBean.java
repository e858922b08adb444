package io.theseus.admin.jmx;

import java.net.ConnectException;
import java.util.Map;

/**
 * A node, and through it its whole cluster, for JMX. Open types only; the names of attributes and
 * operations, and the order of parameters, are a promise.
 *
 * <p>Operations answer with JSON, one object each; members are only ever added:
 *
 * <pre>
 * act       {"id","what","who","at","phase","reason","nodes":{NODE:"staged"}}
 *           phase: staging, switching, confirmed, refused, rolled-back
 * revision  {"id","name","state","description","changes":["channel: a@1 -> b@1"]}
 *           state: serving, canary, stable, former, new (of a preview); description: the text that id is the SHA-256 of
 * session   {"node","session","direction","name","offset","size","state","module","remote"}
 *           direction: get, put; size: -1 where it isn't known; state: live, held, detached
 * backup    {"node","rack","freeBytes","sessions","behindBytes","draining","filesLeft","registered"}
 *           filesLeft: of one that drains, -1 where it isn't known
 * reading   {"node","running","files","bytes","totalFiles","totalBytes","adopted","rotten","repaired",
 *           "findings":[{"name","repairedFrom","reason"}],"failure"}
 * </pre>
 *
 * <p>Acts are begun, then go on by themselves: {@link #act} says how far one is. What can't be done
 * is an {@link IllegalStateException} with the reason in words; an argument that can't be read is
 * an {@link IllegalArgumentException}; a node or a majority that can't be reached is a {@link
 * ConnectException}: asking again later may help.
 *
 * <p>Parameters that most operations have, and that may be empty: {@code without}, names of nodes
 * that may be missing, with commas between; {@code watchSeconds}, for how long no node may report
 * misbehaving code after the switch, otherwise as configured; {@code who}, as the history names the
 * operator, otherwise {@code jmx}.
 */
public interface TheseusMXBean {
  /** The node's configured id. */
  String getNode();

  String getVersion();

  long getUptimeSeconds();

  /** Whether every part of the node is normal. */
  boolean isNormal();

  /** One line for each part that is not normal: name, state and reason. */
  String[] getReasons();

  /** How many sessions there are in each state. */
  Map<String, Long> getSessions();

  /** What was done since the start, by name: connections, transfers, bytes, marks, syncs. */
  Map<String, Long> getCounters();

  /** ERRORs that were sent, by code. */
  Map<String, Long> getErrors();

  /** GETs and PUTs that failed, by code of the ERROR. */
  Map<String, Long> getFailures();

  /** What joining the cluster waits for; empty for a member. */
  String getWaitsFor();

  /** Usable bytes where the files are; 0 where that can't be found out. */
  long getFreeBytes();

  /** Everything, as {@code theseus status --json} prints it. */
  String getStatus();

  // ---- upgrades

  /**
   * Tries a module on this node: all that an upgrade does, but for the switch.
   *
   * @param path of the signed jar, on this node's host
   * @return {@code {"revision":REVISION,"missing":[NODE]}}: what it would bring, and the nodes that
   *     can't be reached
   */
  @Description("Tries the module in a file of this node's host; changes nothing")
  String preview(String path) throws ConnectException;

  /** The same, of a jar's bytes. */
  @Description("Tries a module; changes nothing")
  String preview(byte[] jar) throws ConnectException;

  /** Begins to replace the revision in force by one with this module in it, for all sessions. */
  @Description("Begins an upgrade to the module in a file of this node's host")
  default String upgrade(String path, String who) throws ConnectException {
    return upgrade(path, "", "", "", who);
  }

  /**
   * Begins to replace the revision in force by one with this module in it.
   *
   * @param path of the signed jar, on this node's host
   * @param canary who gets it first: the id of a session, or a share like {@code 5%}; empty for all
   * @return the act
   */
  @Description("Begins an upgrade to the module in a file of this node's host")
  String upgrade(String path, String canary, String without, String watchSeconds, String who)
      throws ConnectException;

  /** The same, of a jar's bytes. */
  @Description("Begins an upgrade to a module")
  String upgrade(byte[] jar, String canary, String without, String watchSeconds, String who)
      throws ConnectException;

  /** The same as below, with nothing special. */
  @Description("Begins to give all sessions the code that the canary has")
  default String promote(String who) throws ConnectException {
    return promote("", "", who);
  }

  /**
   * Begins to give all sessions the code that the canary has.
   *
   * @return the act
   */
  @Description("Begins to give all sessions the code that the canary has")
  String promote(String without, String watchSeconds, String who) throws ConnectException;

  /** The same as below, with nothing special. */
  @Description("Begins to go back to a revision that was confirmed before")
  default String rollback(String revision, String who) throws ConnectException {
    return rollback(revision, "", "", who);
  }

  /**
   * Begins to go back to a revision that was confirmed before.
   *
   * @param revision its id, the first digits of it that no other has, or its name
   * @return the act
   */
  @Description("Begins to go back to a revision that was confirmed before")
  String rollback(String revision, String without, String watchSeconds, String who)
      throws ConnectException;

  /** The same as below, with nothing special. */
  @Description("Begins to take back the last act, or gives up the one that is under way")
  default String undo(String who) throws ConnectException {
    return undo("", "", who);
  }

  /**
   * Begins to take back the last act, or gives up the one that is under way.
   *
   * @return the act
   */
  @Description("Begins to take back the last act, or gives up the one that is under way")
  String undo(String without, String watchSeconds, String who) throws ConnectException;

  /** The same as below, with nothing special. */
  @Description("Begins to hold all transfers")
  default String pause(String who) throws ConnectException {
    return pause("", "", who);
  }

  /**
   * Begins to hold all transfers.
   *
   * @return the act
   */
  @Description("Begins to hold all transfers")
  String pause(String without, String watchSeconds, String who) throws ConnectException;

  /** The same as below, with nothing special. */
  @Description("Begins to let held transfers go on")
  default String resume(String who) throws ConnectException {
    return resume("", "", who);
  }

  /**
   * Begins to let held transfers go on.
   *
   * @return the act
   */
  @Description("Begins to let held transfers go on")
  String resume(String without, String watchSeconds, String who) throws ConnectException;

  /**
   * How far an act is.
   *
   * @return the act; empty where nobody knows it
   */
  @Description("How far an act is")
  String act(String id) throws ConnectException;

  /**
   * Acts, the latest first, the one under way included.
   *
   * @return {@code {"acts":[ACT]}}
   */
  @Description("Acts, the latest first")
  String history() throws ConnectException;

  /**
   * Revisions that can be gone back to, the one in force first.
   *
   * @return {@code {"revisions":[REVISION]}}, each with what it changes from what serves
   */
  @Description("Revisions that can be gone back to, with what each would change")
  String revisions() throws ConnectException;

  // ---- sessions

  /**
   * The sessions of all nodes.
   *
   * @return {@code {"sessions":[SESSION],"silent":{NODE:"why it did not answer"}}}
   */
  @Description("The sessions of all nodes")
  String sessions() throws ConnectException;

  /**
   * Ends a session's connection, wherever it is; an unfinished upload stays resumable.
   *
   * @return {@code {"node":NODE}}: who had it
   */
  @Description("Ends a session's connection, wherever it is")
  String kill(String session, String who) throws ConnectException;

  /**
   * Takes no new sessions; those that are there go on.
   *
   * @param nodes which, with commas between; empty for all
   * @return {@code {"nodes":{NODE:"done"}}}, or why it was not
   */
  @Description("Takes no new sessions; those that are there go on")
  String stopAccepting(String nodes, String who) throws ConnectException;

  /** Takes new sessions again; parameters and answer as those of {@link #stopAccepting}. */
  @Description("Takes new sessions again")
  String accept(String nodes, String who) throws ConnectException;

  // ---- backups

  /**
   * The backups that this node can reach, its own included.
   *
   * @return {@code {"node":NODE,"open":true,"backups":[BACKUP]}}; open: whether others may register
   */
  @Description("The backups that this node can reach")
  String backups() throws ConnectException;

  /**
   * Has a backup chosen for no new copy, copies of uploads that run moved to others, and files
   * brought to others.
   *
   * @return {@code {"node":NODE,"draining":true,"running":3}}
   */
  @Description("Has a backup chosen for no new copy, and those that run moved to others")
  String drainBackup(String node, String who) throws ConnectException;

  /** Has a backup chosen again; answer as that of {@link #drainBackup}. */
  @Description("Has a backup that was drained chosen again")
  String undrainBackup(String node, String who) throws ConnectException;

  /**
   * Lets backups that have not registered up to now register with no node; until its next start.
   *
   * @return {@code {"nodes":{NODE:"done"}}}, or why it was not
   */
  @Description("Lets no further backups register")
  String closeRegistration(String who) throws ConnectException;

  /** Lets backups register with every node; answer as that of {@link #closeRegistration}. */
  @Description("Lets backups register")
  String openRegistration(String who) throws ConnectException;

  // ---- files

  /**
   * Has every node read the files whose names begin so, and what is not what was stored repaired
   * from another one. Begins, and goes on by itself: {@link #verification} says how far it is.
   *
   * @param prefix empty for all
   * @return {@code {"nodes":[READING]}}
   */
  @Description("Reads files, and repairs those that are not what was stored")
  String verify(String prefix, String who) throws ConnectException;

  /** How far each node is with the last {@link #verify}; answer as of that. */
  @Description("How far the reading of files is")
  String verification() throws ConnectException;
}
