/**
 * The JMX door: an MBean of open types for each node, and the way to it from this host.
 *
 * <p>In come a supplier of {@link io.theseus.admin.NodeStatus} and {@link
 * io.theseus.admin.Operations}; {@link io.theseus.admin.jmx.JmxDoor} registers the MBean and
 * listens on loopback, on a free port. Where it listens, and a secret that it asks for, are in
 * {@code data-dir/run/node.json}, readable by the owner alone ({@link
 * io.theseus.admin.jmx.RunFile}). {@link io.theseus.admin.jmx.StatusClient} finds that file and
 * asks; what it asks with is {@link io.theseus.admin.Operations} again. Start reading at {@link
 * io.theseus.admin.jmx.JmxDoor}.
 */
@NullMarked
package io.theseus.admin.jmx;

import org.jspecify.annotations.NullMarked;
