package io.theseus.upgrade;

import java.util.List;

/** The points at which a node can be killed in an upgrade, for tests elsewhere. */
public final class UpgradeSteps {
  private UpgradeSteps() {}

  /** All of them. */
  public static List<String> all() {
    return KillPoints.all();
  }
}
