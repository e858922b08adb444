package io.theseus.channel;

/**
 * Decides for a whole node which sessions may be: who is let in, to what, and where it goes.
 *
 * <p>A node policy: one object for each node, and one thread calls it at a time, so it may count.
 * It is asked for each session that begins, and after a switch for each that runs.
 */
public interface AdmissionPolicy {
  /**
   * Whether a session may be.
   *
   * @param others sessions that run on this node beside it
   */
  Admission admit(SessionInfo session, int others);
}
