/**
 * Operations: what a person or a script may ask of a running node.
 *
 * <p>A node hands in immutable snapshots ({@link io.theseus.admin.NodeStatus}); the doors over
 * them, such as {@code admin.jmx}, hand them out. Nothing here knows actors or sockets. Start
 * reading at {@link io.theseus.admin.NodeStatus}.
 */
@NullMarked
package io.theseus.admin;

import org.jspecify.annotations.NullMarked;
