package io.theseus.upgrade;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Objects;

/** What an operator may want of the whole cluster. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "act")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Act.Upgrade.class, name = "upgrade"),
  @JsonSubTypes.Type(value = Act.Rollback.class, name = "rollback"),
  @JsonSubTypes.Type(value = Act.Undo.class, name = "undo"),
  @JsonSubTypes.Type(value = Act.Pause.class, name = "pause"),
  @JsonSubTypes.Type(value = Act.Resume.class, name = "resume")
})
public sealed interface Act {
  /** Serve by another revision. */
  record Upgrade(RevisionId revision) implements Act {
    /** Checked. */
    public Upgrade {
      Objects.requireNonNull(revision, "revision");
    }

    @Override
    public String toString() {
      return "upgrade to " + revision;
    }
  }

  /** Serve by a revision that was confirmed before. */
  record Rollback(RevisionId revision) implements Act {
    /** Checked. */
    public Rollback {
      Objects.requireNonNull(revision, "revision");
    }

    @Override
    public String toString() {
      return "rollback to " + revision;
    }
  }

  /**
   * Take back the last act: give it up where it is under way, otherwise return to the course before
   * it. Naming it makes a repeated undo, or two operators' undo, take back one act and not two.
   */
  record Undo(String actId) implements Act {
    /** Checked. */
    public Undo {
      ActRequest.checkId(actId);
    }

    @Override
    public String toString() {
      return "undo of act " + actId;
    }
  }

  /** Hold all transfers. */
  record Pause() implements Act {
    @Override
    public String toString() {
      return "pause";
    }
  }

  /** Let held transfers go on. */
  record Resume() implements Act {
    @Override
    public String toString() {
      return "resume";
    }
  }
}
