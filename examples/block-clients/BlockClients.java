import io.theseus.channel.Admission;
import io.theseus.channel.AdmissionPolicy;
import io.theseus.channel.SessionInfo;
import java.util.List;

/** Lets nobody in from some addresses; who is in already is put out. */
public final class BlockClients implements AdmissionPolicy {
  /** An address, or the beginning of many that ends in a dot or colon. */
  private static final List<String> BLOCKED = List.of("192.0.2.7", "198.51.100.", "2001:db8:bad:");

  @Override
  public Admission admit(SessionInfo session, int others) {
    for (String each : BLOCKED) {
      boolean many = each.endsWith(".") || each.endsWith(":");
      if (many ? session.client().startsWith(each) : session.client().equals(each)) {
        return Admission.deny("client " + session.client() + " (expected: none of " + each + ")");
      }
    }
    return Admission.admit();
  }
}
