package io.theseus.peer;

import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;

/** TLS between members: each connection takes the keys as they are then. */
public interface PeerTls {
  /** For who was connected to; asks for a certificate. */
  SSLEngine server();

  /** For who connects; checks that the certificate is for the host. */
  SSLEngine client(String host, int port);

  /** Why who connected may not be here, behind its handshake; empty where it may. */
  Optional<String> refusal(SSLSession session);
}
