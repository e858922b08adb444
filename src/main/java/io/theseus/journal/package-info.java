/**
 * The journal: an Akka Persistence plugin that keeps the marks of open sessions in one LevelDB
 * database, and nothing of ended ones.
 *
 * <p><b>Purpose.</b> Akka's own LevelDB plugin syncs each write alone, keeps every persistence id
 * for ever and has a snapshot store that never syncs. This one commits what all sessions wait for
 * in one synced batch, deletes every key of a session with its {@link
 * io.theseus.journal.FinalEvent}, and keeps snapshots in the same database, so that a snapshot is
 * as durable as the events that are deleted behind it.
 *
 * <p><b>Data in.</b> Atomic writes of events and snapshots ({@link
 * io.theseus.journal.LevelDbJournal}, {@link io.theseus.journal.LevelDbSnapshotStore}), serialized
 * by Akka serialization in the plugin's actor, queued to the single writer thread of {@code
 * Database}.
 *
 * <p><b>Data out.</b> Replays and snapshots for actors that recover, and the list of open sessions
 * that a node reads at start, before any actor is there ({@link
 * io.theseus.journal.JournalDatabase#openSessions()}).
 *
 * <p><b>On disk.</b> {@code Keys} has the layout of keys, {@code Records} that of values. Each
 * record has a version byte and a CRC32C of its own over key and value, which also finds a record
 * that came back under the wrong key. Before LevelDB opens a directory, {@code DirectoryCheck}
 * reads all of it that counts: LevelDB by itself goes on with less data in several kinds of damage
 * and says nothing.
 *
 * <p><b>Where to start.</b> {@code Database} for the writer, {@code DirectoryCheck} for what is
 * refused at start and why.
 */
@NullMarked
package io.theseus.journal;

import org.jspecify.annotations.NullMarked;
