package io.theseus.journal;

/**
 * An event that ends its persistence id: persisting it deletes all that the journal has of that id.
 *
 * <p>Events, snapshots and the highest sequence number go in the synced batch in which the event
 * itself would have been written; the event is not stored. It must be the last event that its actor
 * persists, and the last of an atomic write. Where nothing was stored it touches nothing.
 */
public interface FinalEvent {}
