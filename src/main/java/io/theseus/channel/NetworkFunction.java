package io.theseus.channel;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * One link of the chain that the data of a session passes: a firewall, a limiter, a counter, a
 * cipher. One of them is replaced while the others go on with their state.
 *
 * <p>A class of a module that implements it is public and has a public constructor without
 * parameters. Each session has an object of its own: made, {@link #begin}, perhaps {@link
 * #takeOver}, then {@link #decide} and {@link #passed} for each range and {@link #payload} for the
 * bytes of each packet, in the order of the chain, each in the order of the offsets; a lower one
 * comes where a client goes back, and where bytes did not get past a later link. One thread calls
 * it at a time, never that of an event loop, and no call may take longer than {@code
 * theseus.modules.call-deadline}.
 */
public interface NetworkFunction {
  /** What it does with the bytes; the same at every call. */
  default PayloadUse payloadUse() {
    return PayloadUse.NONE;
  }

  /** A session begins, or one that runs comes under this function. */
  default Admission begin(SessionInfo session) {
    return Admission.admit();
  }

  /**
   * A range is about to be granted.
   *
   * @param nowNanos a clock that only goes forward, for rates; it begins anywhere
   */
  default Passage decide(Range range, long nowNanos) {
    return Passage.pass();
  }

  /**
   * What is granted in the end, when all functions have decided: what a limiter or a counter
   * counts.
   */
  default void passed(Range range) {}

  /**
   * The bytes of a packet, or a part of them, on their way; only where {@link #payloadUse} says so.
   *
   * <p>A TRANSFORM makes the same bytes of the same bytes at the same offset, however a packet is
   * cut and behind a hand-over at any packet: otherwise a client that resumes gets half of one file
   * and half of another.
   *
   * @param offset in the transfer of the first byte
   * @param bytes between position and limit, some hundred KiB at most; for TRANSFORM they may be
   *     changed in place, for INSPECT it is read-only. The limit stays: as many leave as came. Not
   *     to be kept: the memory is used for something else afterwards
   * @return why they may not pass, ERROR {@code denied}; empty where they may
   */
  default Optional<String> payload(long offset, ByteBuffer bytes) {
    return Optional.empty();
  }

  /** What the successor may go on with; empty where there is nothing. */
  default Optional<HandOver> handOver() {
    return Optional.empty();
  }

  /**
   * Takes what the predecessor handed over, of whatever code that was.
   *
   * @return whether it could use it; otherwise it starts fresh
   */
  default boolean takeOver(HandOver state) {
    return false;
  }
}
