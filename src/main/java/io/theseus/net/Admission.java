package io.theseus.net;

import io.theseus.access.Access;
import io.theseus.access.Rights;
import io.theseus.access.Scope;
import io.theseus.access.Source;
import io.theseus.wire.ClientMessage;
import java.util.Optional;

/**
 * Whom a port lets do what: translates commands into what {@link Access} is asked.
 *
 * @param anonymous what clients without a token may do here
 */
record Admission(Access access, Rights anonymous) {
  Access.Answer ask(ClientMessage.Command command, Source source) {
    if (command instanceof ClientMessage.Get get) {
      return ask(command, source, "GET", Scope.READ, Optional.of(get.name().value()));
    }
    if (command instanceof ClientMessage.Put put) {
      return ask(command, source, "PUT", Scope.WRITE, Optional.of(put.name().value()));
    }
    if (command instanceof ClientMessage.Stat stat) {
      return ask(command, source, "STAT", Scope.READ, Optional.of(stat.name().value()));
    }
    if (command instanceof ClientMessage.Delete delete) {
      return ask(command, source, "DELETE", Scope.WRITE, Optional.of(delete.name().value()));
    }
    return ask(command, source, "LIST", Scope.READ, Optional.empty());
  }

  private Access.Answer ask(
      ClientMessage.Command command,
      Source source,
      String verb,
      Scope scope,
      Optional<String> name) {
    return access.ask(command.token(), anonymous, source, verb, scope, name);
  }
}
