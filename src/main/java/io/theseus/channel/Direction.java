package io.theseus.channel;

/** Which way the bytes of a transfer go. */
public enum Direction {
  /** From the server to the client. */
  GET,
  /** From the client to the server. */
  PUT
}
