import io.theseus.channel.Admission;
import io.theseus.channel.NetworkFunction;
import io.theseus.channel.SessionInfo;
import java.util.List;
import java.util.Locale;

/** The first link of a chain: lets nothing pass under names that are none of anybody's business. */
public final class Firewall implements NetworkFunction {
  private static final List<String> BLOCKED = List.of(".exe", ".key", ".pem");

  @Override
  public Admission begin(SessionInfo session) {
    String name = session.name().toLowerCase(Locale.ROOT);
    return BLOCKED.stream()
        .filter(name::endsWith)
        .findFirst()
        .map(end -> Admission.deny("name ends in " + end + " (expected: another)"))
        .orElseGet(Admission::admit);
  }
}
