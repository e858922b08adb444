import io.theseus.channel.FairnessPolicy;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Max-min fairness by water filling: who wants less than an equal share gets all of it, and what
 * that leaves is divided equally among the others.
 */
public final class MaxMin implements FairnessPolicy {
  @Override
  public long[] share(long budget, List<Demand> demands) {
    long[] shares = new long[demands.size()];
    List<Integer> smallestFirst =
        IntStream.range(0, shares.length)
            .boxed()
            .sorted(Comparator.comparingLong(each -> demands.get(each).wanted()))
            .toList();
    long left = budget;
    int waiting = shares.length;
    for (int each : smallestFirst) {
      shares[each] = Math.min(demands.get(each).wanted(), left / waiting);
      left -= shares[each];
      waiting--;
    }
    return shares;
  }
}
