package io.theseus.backup;

import io.theseus.channel.BackupPolicy.Candidate;
import io.theseus.channel.BackupPolicy.Upload;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Who says where copies go, now. By any thread; never waits. */
public interface Targets {
  /** The least loaded nodes, always. */
  Targets LEAST_LOADED =
      new Targets() {
        @Override
        public String policy(UUID session) {
          return "";
        }

        @Override
        public CompletionStage<String> choose(Upload upload, List<Candidate> candidates) {
          return CompletableFuture.completedFuture(LeastLoaded.of(candidates));
        }
      };

  /** What decides for a session: another text after a switch that changed it. */
  String policy(UUID session);

  /**
   * The node that is to keep the next copy of an upload.
   *
   * @param candidates at least one
   * @return the id of one of them; never fails
   */
  CompletionStage<String> choose(Upload upload, List<Candidate> candidates);
}
