/**
 * One namespace for all nodes: what a node lacks it asks the others for, what it changes it tells
 * them.
 *
 * <p>Each name has at most one file on a node, with a version; the highest version that can be
 * reached is what the name holds, a deletion among them. Who commits a file takes a version above
 * all that it can reach, and before it says so every node that can be reached has let go of what is
 * older. Nodes that have been apart compare all their names, and until they have, ask about each
 * one before they serve it. What can't be known because a node can't be reached is refused with
 * {@code busy}, never guessed. Start reading at {@link io.theseus.names.Names}, what others call;
 * {@link io.theseus.names.NamesActor} is its voice and ear among the nodes.
 */
@NullMarked
package io.theseus.names;

import org.jspecify.annotations.NullMarked;
