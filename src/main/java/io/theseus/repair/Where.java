package io.theseus.repair;

import io.theseus.names.Holders;
import io.theseus.store.Named;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Knows on which other nodes files are. */
@FunctionalInterface
interface Where {
  /** Asks them all, for files that are here. */
  CompletionStage<Holders> holders(List<Named> files);
}
