/**
 * The data plane between members: whole files and files that are being written travel here, pulled
 * by who wants them, and never beside the cluster's heartbeats.
 *
 * <p>One connection carries many sessions. Who opened it says who it is and asks for ranges; the
 * other end sends them as BACKUPDATA, as soon as it has them itself, and the CRC32C of each block.
 * Bytes that were not asked for never come, so who asks bounds what is in flight. No actors here.
 * Start reading at {@link io.theseus.peer.PeerPort}.
 */
@NullMarked
package io.theseus.peer;

import org.jspecify.annotations.NullMarked;
