package io.theseus.journal;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A journal's state, for operators.
 *
 * @param directory where it is
 * @param engine {@code native} or {@code java}
 * @param batches synced batches since it was opened
 * @param waiting writes that wait for the disk
 * @param failure why it takes no writes until the node is started again; empty where it does
 */
public record JournalStatus(
    Path directory, String engine, long batches, int waiting, Optional<String> failure) {}
