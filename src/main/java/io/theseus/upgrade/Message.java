package io.theseus.upgrade;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Objects;

/** What agents and coordinators of different nodes say to each other: the whole of it. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "message")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Message.Prepare.class, name = "prepare"),
  @JsonSubTypes.Type(value = Message.Accept.class, name = "accept"),
  @JsonSubTypes.Type(value = Message.Beat.class, name = "beat"),
  @JsonSubTypes.Type(value = Message.Ask.class, name = "ask"),
  @JsonSubTypes.Type(value = Message.Tell.class, name = "tell"),
  @JsonSubTypes.Type(value = Message.Promise.class, name = "promise"),
  @JsonSubTypes.Type(value = Message.Refusal.class, name = "refusal"),
  @JsonSubTypes.Type(value = Message.Report.class, name = "report")
})
sealed interface Message {
  /** To the agent of a node. */
  sealed interface ToAgent extends Message {}

  /** To the coordinator of a node. */
  sealed interface ToCoordinator extends Message {}

  /** A coordinator wants to begin a term. */
  record Prepare(Term term) implements ToAgent {
    public Prepare {
      Objects.requireNonNull(term, "term");
    }
  }

  /**
   * A coordinator wants a state to be on disk.
   *
   * @param askedNanos when it was sent, by the coordinator's clock; reports bring it back
   */
  record Accept(Term term, ClusterState state, long askedNanos) implements ToAgent {
    public Accept {
      Objects.requireNonNull(term, "term");
      Objects.requireNonNull(state, "state");
    }
  }

  /**
   * A coordinator is there.
   *
   * @param decided sequence of the last state of this term that a majority has; -1 for none
   * @param askedNanos as with {@link Accept}
   */
  record Beat(Term term, long decided, long askedNanos) implements ToAgent {
    public Beat {
      Objects.requireNonNull(term, "term");
    }
  }

  /**
   * A node that has started wants to know how far the others are.
   *
   * @param life of the agent that asks, brought back
   */
  record Ask(long life) implements ToAgent {}

  /**
   * How far a node is.
   *
   * @param sequence of what it has accepted
   */
  record Tell(long life, long sequence) implements ToAgent {}

  /** A node will accept nothing of earlier terms; this is the last that it has. */
  record Promise(Term term, long incarnation, Term acceptedTerm, ClusterState accepted)
      implements ToCoordinator {
    public Promise {
      Objects.requireNonNull(term, "term");
      Objects.requireNonNull(acceptedTerm, "acceptedTerm");
      Objects.requireNonNull(accepted, "accepted");
    }
  }

  /** A node has promised itself to a later term. */
  record Refusal(Term term, Term promised) implements ToCoordinator {
    public Refusal {
      Objects.requireNonNull(term, "term");
      Objects.requireNonNull(promised, "promised");
    }
  }

  /**
   * How a node is.
   *
   * @param askedNanos of the latest message of this coordinator that it knows
   * @param number grows with each report of one life of the agent
   * @param accepted sequence of what is on disk in this term; -1 for nothing
   * @param actId the act that the progress belongs to; empty for none
   * @param reason of a failure; otherwise empty
   */
  record Report(
      Term term,
      long incarnation,
      long askedNanos,
      long number,
      long accepted,
      String actId,
      Progress progress,
      String reason)
      implements ToCoordinator {
    public Report {
      Objects.requireNonNull(term, "term");
      Objects.requireNonNull(actId, "actId");
      Objects.requireNonNull(progress, "progress");
      Objects.requireNonNull(reason, "reason");
    }

    boolean isNewerThan(Report other) {
      return askedNanos != other.askedNanos
          ? askedNanos - other.askedNanos > 0
          : number > other.number;
    }
  }

  /** How far a node is with an act. */
  enum Progress {
    WORKING,
    STAGED,
    SWITCHED,
    FAILED
  }
}
