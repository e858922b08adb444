package io.theseus.channel;

/** What a function does with the bytes themselves; decides whether they can go zero-copy. */
public enum PayloadUse {
  /** Never looks at them: they go from file to socket without being read. */
  NONE,
  /** Reads them: they are copied, to be shown before they move. */
  INSPECT,
  /** Reads and changes them in place; as many leave as came. */
  TRANSFORM
}
