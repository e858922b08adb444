package io.theseus.bench.transfer;

/**
 * Who takes part in a case.
 *
 * @param name as results name it
 * @param ahead whether its client sends one request ahead, where the case is about that
 */
record Contender(String name, Server server, boolean ahead) {
  /** The case as this one meets it. */
  TransferCase meets(TransferCase what) {
    return what.ahead() == ahead ? what : what.ahead(ahead);
  }
}
