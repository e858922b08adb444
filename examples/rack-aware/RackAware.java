import io.theseus.channel.BackupPolicy;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Keeps copies in racks that have none of the file; within a rack, the least loaded node. */
public final class RackAware implements BackupPolicy {
  @Override
  public String choose(Upload upload, List<Candidate> candidates) {
    Set<String> racks = new HashSet<>();
    racks.add(upload.rack());
    upload.copies().forEach(each -> racks.add(each.rack()));
    return candidates.stream()
        .min(
            Comparator.comparing((Candidate each) -> racks.contains(each.rack()))
                .thenComparing(Candidate::keeps, Comparator.reverseOrder())
                .thenComparingInt(Candidate::sessions)
                .thenComparing(Candidate::freeBytes, Comparator.reverseOrder()))
        .orElseThrow()
        .node();
  }
}
