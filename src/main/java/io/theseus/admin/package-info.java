/**
 * What a person or a script may ask of a running node, and do to its cluster.
 *
 * <p>A node hands in immutable snapshots ({@link io.theseus.admin.NodeStatus}) and carries out
 * {@link io.theseus.admin.Operations}; the doors over them, such as {@code admin.jmx}, offer them.
 * Nothing here knows actors or sockets. Start reading at {@link io.theseus.admin.Operations}.
 */
@NullMarked
package io.theseus.admin;

import org.jspecify.annotations.NullMarked;
