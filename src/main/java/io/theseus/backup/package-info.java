/**
 * Copies of what a node receives, on other members, made while it is received.
 *
 * <p>The node that has the connection tells a {@link io.theseus.backup.BackupNode} what the session
 * is (BackupInfo) and up to where there is something to make durable (BackupData), keyed by
 * session; the backup pulls the bytes over the data plane ({@code peer}) into an upload of its own,
 * and answers with what is durable there. The commit goes to the backups first. Everything is said
 * again until it is answered, so each step may come twice. Start reading at {@link
 * io.theseus.backup.Replicator}, the side that tells, and {@link io.theseus.backup.BackupNode}, the
 * side that keeps.
 */
@NullMarked
package io.theseus.backup;

import org.jspecify.annotations.NullMarked;
