/**
 * Coordination of upgrades: one course for all nodes, whatever dies while it is changed.
 *
 * <p><b>Purpose.</b> An act (an upgrade, a rollback, an undo, a pause) is all or nothing: every
 * node makes the new revision ready; when all have, all switch; when all that live are well, it is
 * confirmed, and otherwise everything is as it was. What has been decided is on the disks of a
 * majority of all configured nodes before anybody acts on it, so it outlives any node, the
 * coordinator's too.
 *
 * <p><b>The parts.</b> {@link io.theseus.upgrade.ClusterState} is what the nodes agree on, a small
 * value with a sequence, and the table of its transitions. An {@link io.theseus.upgrade.Agent} on
 * each node keeps it on disk and brings the node to it. A {@link io.theseus.upgrade.Coordinator}
 * proposes the next state. Both are plain state machines: messages, ticks and ends of effects in, a
 * list of {@link io.theseus.upgrade.Action}s out, to be carried out in order. Which node
 * coordinates is somebody else's choice (Akka's cluster singleton); two at once are safe, and slow.
 *
 * <p><b>Data in.</b> {@link io.theseus.upgrade.ActRequest}s of operators; {@link
 * io.theseus.upgrade.Message}s of other nodes; how staging ended and what misbehaves, from a {@link
 * io.theseus.upgrade.RevisionHost}.
 *
 * <p><b>Data out.</b> States for {@link io.theseus.upgrade.StateFile}, messages, orders to the
 * host, and {@link io.theseus.upgrade.ActAnswer}s. {@link io.theseus.upgrade.Codec} has the
 * formats.
 *
 * <p><b>Kill points</b>, for whoever carries the actions out: {@link
 * io.theseus.upgrade.KillPoints}.
 *
 * <p><b>Where to start.</b> {@link io.theseus.upgrade.ClusterState}, then the comment inside {@link
 * io.theseus.upgrade.Agent} for why it is safe, then {@code next} of {@link
 * io.theseus.upgrade.Coordinator}. The test {@code Simulation} runs whole clusters of these parts.
 */
@NullMarked
package io.theseus.upgrade;

import org.jspecify.annotations.NullMarked;
