/**
 * What is left after a node died: real processes, killed at every named point and at random
 * moments, with clients that hold the node to what it acknowledged.
 *
 * <p>A kill leaves the page cache alone, so these tests say nothing about fsync; that takes a power
 * cut. Start with {@link io.theseus.recovery.KillAtStepTest}.
 */
@NullMarked
package io.theseus.recovery;

import org.jspecify.annotations.NullMarked;
