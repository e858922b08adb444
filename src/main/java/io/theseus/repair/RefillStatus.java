package io.theseus.repair;

/**
 * How far files are on as many nodes as are wanted.
 *
 * @param running whether they are looked through now
 * @param looked files of this node that were looked at, this time or the last
 * @param shortFiles those of them that are on too few nodes, and were not copied
 * @param copiedFiles copies that were made from this node, since its start
 * @param copiedBytes of these
 * @param waitsFor why nothing is copied now; empty where nothing is waited for
 */
public record RefillStatus(
    boolean running,
    long looked,
    long shortFiles,
    long copiedFiles,
    long copiedBytes,
    String waitsFor) {
  /** Of a node that has not looked. */
  public static final RefillStatus NONE = new RefillStatus(false, 0, 0, 0, 0, "");
}
