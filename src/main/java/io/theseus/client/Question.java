package io.theseus.client;

import io.theseus.wire.Info;
import io.theseus.wire.ProtocolException;
import org.jspecify.annotations.Nullable;

/** A command with one answer: STAT, LIST, DELETE. */
final class Question extends Exchange {
  private final String command;
  private final String answerVerb;
  private @Nullable Info answer;

  Question(ClientSettings settings, String command, String answerVerb) {
    super(settings, TransferListener.NONE);
    this.command = command;
    this.answerVerb = answerVerb;
  }

  /** The answer; there once it is {@link #done}. */
  Info answer() {
    if (answer == null) {
      throw new IllegalStateException("no answer yet");
    }
    return answer;
  }

  @Override
  String command() {
    return command;
  }

  @Override
  void begin() {}

  @Override
  boolean done() {
    return answer != null;
  }

  @Override
  long work(long nowNanos) {
    return Long.MAX_VALUE;
  }

  @Override
  boolean owed() {
    return true;
  }

  @Override
  void onVerb(String verb, Info info) throws ProtocolException {
    if (verb.equals(answerVerb)) {
      if (answer != null) {
        throw outOfPlace("second " + verb, "one answer to one command");
      }
      answer = info;
    } else if (verb.equals("READY") || verb.equals("COMPLETE") || verb.equals("RESTART")) {
      throw outOfPlace(verb, answerVerb);
    }
  }

  @Override
  public void onOffset(long offset) throws ProtocolException {
    throw outOfPlace("OFFSET " + offset, answerVerb);
  }

  @Override
  public void onData(long offset, int length) throws ProtocolException {
    throw outOfPlace("DATA", answerVerb);
  }

  @Override
  public void onPayload(Chunk chunk, int position, int length, boolean last) {}
}
