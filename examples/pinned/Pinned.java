import io.theseus.channel.BackupPolicy;
import java.util.Comparator;
import java.util.List;

/** Keeps copies on the first nodes of a list that can be had; on others where none of these can. */
public final class Pinned implements BackupPolicy {
  private static final List<String> ORDER = List.of("node3", "node2", "node1");

  @Override
  public String choose(Upload upload, List<Candidate> candidates) {
    return candidates.stream()
        .map(Candidate::node)
        .min(Comparator.comparingInt(Pinned::place))
        .orElseThrow();
  }

  private static int place(String node) {
    int place = ORDER.indexOf(node);
    return place < 0 ? ORDER.size() : place;
  }
}
