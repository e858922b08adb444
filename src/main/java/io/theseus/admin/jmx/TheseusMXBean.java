package io.theseus.admin.jmx;

import java.util.Map;

/** A node, for JMX. Open types only; the names of attributes are a promise. */
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
}
