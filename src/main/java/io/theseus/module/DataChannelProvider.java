package io.theseus.module;

import io.theseus.channel.DataChannel;
import io.theseus.channel.Direction;

/** Makes the data channels of a module; one for each session that it serves. */
public interface DataChannelProvider {
  /** Name of the module, such as {@code standard}. */
  String name();

  /** Its version, such as {@code 1.0.0}. */
  String version();

  /** A channel for a new worker. */
  DataChannel open(Direction direction);
}
