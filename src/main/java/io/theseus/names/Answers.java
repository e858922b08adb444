package io.theseus.names;

import java.util.List;
import java.util.Set;

/**
 * What nodes answered.
 *
 * @param answers of those that did
 * @param silent nodes of which nothing was heard: they can't be reached, or not in time
 */
record Answers(List<Remote.Answer> answers, Set<String> silent) {
  Answers {
    answers = List.copyOf(answers);
    silent = Set.copyOf(silent);
  }
}
