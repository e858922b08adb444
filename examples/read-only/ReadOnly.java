import io.theseus.channel.Admission;
import io.theseus.channel.AdmissionPolicy;
import io.theseus.channel.Direction;
import io.theseus.channel.SessionInfo;

/** Changes who may do what in a store: one folder takes no uploads, another gives nothing out. */
public final class ReadOnly implements AdmissionPolicy {
  private static final String KEPT = "archive/";
  private static final String HIDDEN = "private/";

  @Override
  public Admission admit(SessionInfo session, int others) {
    String name = session.name();
    if (session.direction() == Direction.PUT && name.startsWith(KEPT)) {
      return Admission.deny("PUT " + name + " (expected: a name that is not in " + KEPT + ")");
    }
    if (session.direction() == Direction.GET && name.startsWith(HIDDEN)) {
      return Admission.deny("GET " + name + " (expected: a name that is not in " + HIDDEN + ")");
    }
    return Admission.admit();
  }
}
