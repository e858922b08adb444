package io.theseus.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Which backups may be chosen. */
final class RegistrationTest {
  private final AtomicLong now = new AtomicLong(-7);

  private Registration registration(Optional<Duration> closesAfter) {
    return new Registration(closesAfter, now::get);
  }

  @Test
  void shouldStayOpenForEver() {
    Registration registration = registration(Optional.empty());
    now.addAndGet(Duration.ofDays(1000).toNanos());
    assertThat(registration.has("a")).isFalse();
    assertThat(registration.register("a")).isTrue();
    assertThat(registration.has("a")).isTrue();
  }

  @Test
  void shouldCloseAtItsDeadlineAndKeepWhoCameBefore() {
    Registration registration = registration(Optional.of(Duration.ofSeconds(10)));
    now.addAndGet(Duration.ofSeconds(10).toNanos() - 1);
    assertThat(registration.register("a")).isTrue();
    now.addAndGet(1);
    assertThat(registration.isOpen()).isFalse();
    assertThat(registration.register("a")).isTrue();
    assertThat(registration.register("b")).isFalse();
    registration.say(/* open= */ true);
    assertThat(registration.register("b")).isTrue();
    registration.say(/* open= */ false);
    assertThat(registration.register("c")).isFalse();
    assertThat(registration.register("b")).isTrue();
  }
}
