package io.theseus.upgrade;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What an operator may want of the whole cluster. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "act")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Act.Upgrade.class, name = "upgrade"),
  @JsonSubTypes.Type(value = Act.Promote.class, name = "promote"),
  @JsonSubTypes.Type(value = Act.Rollback.class, name = "rollback"),
  @JsonSubTypes.Type(value = Act.Undo.class, name = "undo"),
  @JsonSubTypes.Type(value = Act.Pause.class, name = "pause"),
  @JsonSubTypes.Type(value = Act.Resume.class, name = "resume")
})
public sealed interface Act {
  /**
   * Serve by another revision.
   *
   * @param base what it was made from; where another one is in force meanwhile, it would undo what
   *     was changed since, and is refused
   * @param canary who runs it first; null for all at once
   */
  record Upgrade(RevisionId revision, RevisionId base, @Nullable Share canary) implements Act {
    /** Checked. */
    public Upgrade {
      Objects.requireNonNull(revision, "revision");
      Objects.requireNonNull(base, "base");
    }

    @Override
    public String toString() {
      return "upgrade to "
          + (canary == null ? revision.toString() : canary.of(revision).toString());
    }
  }

  /**
   * Which sessions a canary is for.
   *
   * @param session that one alone; null for a share of all
   * @param percent as with {@link Canary}
   */
  record Share(@Nullable UUID session, int percent) {
    Canary of(RevisionId revision) {
      return new Canary(revision, session, percent);
    }
  }

  /** Let all sessions run what the canary does. */
  record Promote() implements Act {
    @Override
    public String toString() {
      return "promote";
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
