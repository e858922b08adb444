/**
 * Sees to it that files stay what was stored, on as many nodes as are wanted. {@link
 * io.theseus.repair.Repair} goes through the files of a node, slowly: those that are on too few
 * nodes are copied, those of a node that is being emptied are brought elsewhere, and all are read
 * now and then; what has rotten is brought back from another node. Nodes ask each other by {@link
 * io.theseus.repair.RepairActor}; bytes go the way of all copies, {@link io.theseus.backup}.
 */
@NullMarked
package io.theseus.repair;

import org.jspecify.annotations.NullMarked;
