/**
 * What modules are written against: the small interfaces whose code an upgrade replaces. Version
 * {@link io.theseus.channel.Spi#VERSION}.
 *
 * <p>For each session: a {@link io.theseus.channel.DataChannel}, which says what moves next, and a
 * chain of {@link io.theseus.channel.NetworkFunction}s, which let it pass, limit, delay, deny or
 * change it. For each node: an {@link io.theseus.channel.AdmissionPolicy}, a {@link
 * io.theseus.channel.FairnessPolicy} and a {@link io.theseus.channel.BackupPolicy}. No Akka, no
 * Netty, no file handles: module code decides over offsets and, where it asked for it, sees bytes
 * in views that it gives back. Start reading at {@link io.theseus.channel.DataChannel}.
 */
@NullMarked
package io.theseus.channel;

import org.jspecify.annotations.NullMarked;
