/**
 * One node, wired together: settings, data directory, actor system, cluster, status, life cycle.
 *
 * <p>In come the layers of configuration ({@link io.theseus.node.SettingsSource}, checked into
 * {@link io.theseus.node.NodeSettings}); out comes a running {@link io.theseus.node.Node}, several
 * of which can live in one process. {@link io.theseus.node.DataDirectory} sees to it that a
 * directory has one node. {@link io.theseus.node.Joiner} finds the other nodes, whichever of them
 * started first; what it decides is in {@link io.theseus.node.Formation}, which knows neither clock
 * nor network. Nothing imports this package but {@code Main}. Start reading at {@link
 * io.theseus.node.Node}.
 */
@NullMarked
package io.theseus.node;

import org.jspecify.annotations.NullMarked;
