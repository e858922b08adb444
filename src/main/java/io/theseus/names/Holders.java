package io.theseus.names;

import io.theseus.store.Named;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * On which other nodes files are.
 *
 * @param files in the order in which they were asked for
 * @param silent nodes of which that is not known
 */
public record Holders(List<Held> files, Set<String> silent) {
  /**
   * One file.
   *
   * @param keeping nodes that have it in the same version
   * @param leaving nodes that have it, too, and are being emptied
   * @param old whether a node knows of something newer
   */
  public record Held(Named file, Set<String> keeping, Set<String> leaving, boolean old) {}

  static Holders of(List<Named> files, Answers answers) {
    List<Set<String>> keeping = new ArrayList<>();
    List<Set<String>> leaving = new ArrayList<>();
    files.forEach(
        each -> {
          keeping.add(new HashSet<>());
          leaving.add(new HashSet<>());
        });
    Set<String> old = new HashSet<>();
    Set<String> silent = new HashSet<>(answers.silent());
    for (Remote.Answer answer : answers.answers()) {
      if (answer instanceof Remote.Newer compared) {
        List<Set<String>> where = compared.leaving() ? leaving : keeping;
        compared.same().forEach(i -> where.get(i).add(answer.node()));
        compared.names().forEach(each -> old.add(each.name()));
      } else {
        silent.add(answer.node());
      }
    }
    List<Held> held = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      Named file = files.get(i);
      held.add(new Held(file, keeping.get(i), leaving.get(i), old.contains(file.name().value())));
    }
    return new Holders(held, silent);
  }
}
