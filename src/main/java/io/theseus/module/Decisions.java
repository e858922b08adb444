package io.theseus.module;

import io.theseus.channel.Range;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What the code of a session wants of the bytes that come next.
 *
 * @param ranges that may move, one behind the other
 * @param delay after which to ask again; empty where nothing stands in the way
 * @param denial why nothing may move any more
 */
public record Decisions(List<Range> ranges, Optional<Duration> delay, Optional<String> denial) {}
