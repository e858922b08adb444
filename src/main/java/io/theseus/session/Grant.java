package io.theseus.session;

import io.theseus.channel.Range;
import org.jspecify.annotations.Nullable;

/**
 * Leave to move a range, given by a worker to the connection.
 *
 * @param range the bytes, at most {@link Range#MOST}
 * @param workerGeneration of the worker; a grant of another than the current one is dropped
 * @param seekEpoch of the position that the worker saw; dropped likewise
 * @param worker name of the worker
 * @param module {@code name@version} of the code that decided
 * @param payload what its bytes pass on their way; null where nobody looks at them
 */
public record Grant(
    Range range,
    long workerGeneration,
    long seekEpoch,
    String worker,
    String module,
    @Nullable PayloadPath payload) {}
