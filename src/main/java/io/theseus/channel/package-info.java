/**
 * What a data channel is written against: the small interface that an upgrade replaces.
 *
 * <p>In: where a transfer stands ({@link io.theseus.channel.Progress}). Out: the range that moves
 * next ({@link io.theseus.channel.Range}). No Akka, no Netty, no file handles: module code decides,
 * it never touches a byte that is sent zero-copy. Start reading at {@link
 * io.theseus.channel.DataChannel}.
 */
@NullMarked
package io.theseus.channel;

import org.jspecify.annotations.NullMarked;
