package io.theseus.module;

import io.theseus.channel.AdmissionPolicy;
import io.theseus.channel.BackupPolicy;
import io.theseus.channel.DataChannel;
import io.theseus.channel.FairnessPolicy;
import io.theseus.channel.NetworkFunction;
import io.theseus.wire.Texts;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a component of a module is for. */
public enum ComponentKind {
  /** Says what moves next. */
  CHANNEL(DataChannel.class),
  /** A link of the chain that the data passes. */
  FUNCTION(NetworkFunction.class),
  /** Says who is let in. */
  ADMISSION(AdmissionPolicy.class),
  /** Divides the bandwidth. */
  FAIRNESS(FairnessPolicy.class),
  /** Says where copies go. */
  BACKUP(BackupPolicy.class);

  private final Class<?> type;

  ComponentKind(Class<?> type) {
    this.type = type;
  }

  /** The interface that its classes implement. */
  public Class<?> type() {
    return type;
  }

  /** As descriptors have it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static ComponentKind of(String label) {
    for (ComponentKind kind : values()) {
      if (kind.label().equals(label)) {
        return kind;
      }
    }
    throw new IllegalArgumentException(
        "kind: "
            + Texts.quote(label)
            + " (expected: "
            + Arrays.stream(values()).map(ComponentKind::label).collect(Collectors.joining(", "))
            + ")");
  }
}
