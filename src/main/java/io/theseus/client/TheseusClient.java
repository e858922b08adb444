package io.theseus.client;

import io.theseus.wire.FileName;
import java.util.Optional;

/**
 * Gets and puts files; the front door of the transfer client.
 *
 * <p>Every call blocks the caller's thread until it is done and keeps its connection for the next
 * one. One call at a time; {@link #close} may come from any thread and ends a running call with
 * {@link TransferException.Kind#CANCELLED}, as an interrupt does. A cancelled or failed GET into a
 * file can be gone on with later ({@link GetRequest#resume}).
 */
public final class TheseusClient implements AutoCloseable {
  private final ClientSettings settings;

  public TheseusClient(ClientSettings settings) {
    this.settings = settings;
  }

  public ClientSettings settings() {
    return settings;
  }

  /** Gets a file, whole and checked against its SHA-256 where the server knows it. */
  public TransferResult get(GetRequest request, Consumer consumer, TransferListener listener)
      throws TransferException {
    return notYet("get");
  }

  /** Puts a file; when this returns, content and name are durable on the server. */
  public TransferResult put(PutRequest request, Producer producer, TransferListener listener)
      throws TransferException {
    return notYet("put");
  }

  /** Asks what a file is. */
  public FileStat stat(FileName name) throws TransferException {
    return notYet("stat");
  }

  /** One page of the names that begin with a prefix and follow {@code after}, in byte order. */
  public ListPage list(String prefix, Optional<String> after) throws TransferException {
    return notYet("list");
  }

  /** All pages of the names that begin with a prefix, one after another. */
  public void list(String prefix, java.util.function.Consumer<ListPage> pages)
      throws TransferException {
    notYet("list");
  }

  /**
   * Deletes a file.
   *
   * @param ifIdentity only where the file is this one
   * @return the identity of what is gone
   */
  public Optional<String> delete(FileName name, Optional<String> ifIdentity)
      throws TransferException {
    return notYet("delete");
  }

  /** Ends a running call and closes the connection. */
  @Override
  public void close() {}

  // filled in by the commits that follow; here so that callers can be compiled
  @SuppressWarnings("TypeParameterUnusedInFormals") // never returns
  private <T> T notYet(String what) throws TransferException {
    throw new TransferException(TransferException.Kind.PROTOCOL, what + ": not yet built");
  }
}
