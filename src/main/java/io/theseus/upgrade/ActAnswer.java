package io.theseus.upgrade;

/** What an operator is told of a request. Asking again with the same request brings later news. */
public sealed interface ActAnswer {
  /** It is under way, and a majority of the nodes has that on disk. */
  record Begun() implements ActAnswer {}

  /** It is over. */
  record Ended(ActRecord how) implements ActAnswer {}

  /** This request has begun nothing. */
  record Refused(String reason) implements ActAnswer {}

  /** It may have begun: no majority has answered in time. */
  record Unknown(String reason) implements ActAnswer {}
}
