package io.theseus.session;

import io.theseus.channel.Progress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an event loop says of a session: cumulative, the latest wins.
 *
 * @param workerGeneration that the connection obeys
 * @param seekEpoch +1 for each seek
 * @param position GET: committed, where a successor goes on; PUT: received
 * @param acked GET: the last OFFSET of the client; PUT: the last OFFSET that was sent
 * @param end where the transfer ends, {@link Progress#UNKNOWN_END} until that is known
 * @param granted where what the current worker granted ends; position where it has said nothing
 *     yet, or bytes wait for its word
 * @param checkpoint PUT: bytes that are to become durable now; 0 for none
 * @param finished GET: COMPLETE is on its way; PUT: all bytes, and END where one was due, are here
 * @param sha256 PUT: what END said
 * @param held whether the transfer stands still at a packet boundary because it was told to
 * @param changed GET: somebody wrote into the file, or cut it
 * @param closure set when the connection is done with the session
 */
public record Report(
    long workerGeneration,
    long seekEpoch,
    long position,
    long acked,
    long end,
    long granted,
    long checkpoint,
    boolean finished,
    Optional<String> sha256,
    boolean held,
    boolean changed,
    @Nullable Closure closure) {

  /** Before READY there is nothing to say but the end. */
  public static Report beforeReady(@Nullable Closure closure) {
    return new Report(
        /* workerGeneration= */ 0,
        /* seekEpoch= */ 0,
        /* position= */ 0,
        /* acked= */ 0,
        Progress.UNKNOWN_END,
        /* granted= */ 0,
        /* checkpoint= */ 0,
        /* finished= */ false,
        Optional.empty(),
        /* held= */ false,
        /* changed= */ false,
        closure);
  }
}
