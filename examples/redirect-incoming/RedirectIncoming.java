import io.theseus.channel.Admission;
import io.theseus.channel.AdmissionPolicy;
import io.theseus.channel.Direction;
import io.theseus.channel.SessionInfo;

/**
 * Sends new uploads to another folder, perhaps on another disk; those that run stay where they are.
 */
public final class RedirectIncoming implements AdmissionPolicy {
  private static final String FROM = "incoming/";
  private static final String TO = "incoming-2/";

  @Override
  public Admission admit(SessionInfo session, int others) {
    if (session.direction() == Direction.PUT && session.name().startsWith(FROM)) {
      return Admission.redirect(TO + session.name().substring(FROM.length()));
    }
    return Admission.admit();
  }
}
