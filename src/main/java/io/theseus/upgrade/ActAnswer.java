package io.theseus.upgrade;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** What an operator is told of a request. Asking again with the same request brings later news. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "answer")
@JsonSubTypes({
  @JsonSubTypes.Type(value = ActAnswer.Begun.class, name = "begun"),
  @JsonSubTypes.Type(value = ActAnswer.Ended.class, name = "ended"),
  @JsonSubTypes.Type(value = ActAnswer.Refused.class, name = "refused"),
  @JsonSubTypes.Type(value = ActAnswer.Unknown.class, name = "unknown")
})
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
