package io.theseus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.theseus.wire.ErrorCode;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class ExitCodeTest {
  @Test
  void shouldKeepItsNumbers() {
    assertThat(
            Arrays.stream(ExitCode.values())
                .map(code -> code.number() + " " + code.label())
                .collect(Collectors.joining("\n")))
        .isEqualTo(
            """
            0 ok
            1 internal
            2 usage
            3 not-found
            4 precondition
            5 denied
            6 unreachable
            7 local-io
            8 hash-mismatch
            9 lost-bytes
            10 some-failed
            11 no-space
            12 busy
            13 incompatible
            14 protocol
            15 not-normal
            16 cant-start
            17 bad-module
            18 refused
            19 rolled-back
            130 interrupted""");
  }

  @Test
  void shouldMapEveryErrorCode() {
    assertThat(
            Arrays.stream(ErrorCode.values())
                .map(code -> code.label() + " " + ExitCode.of(code).number())
                .collect(Collectors.joining("\n")))
        .isEqualTo(
            """
            bad-packet 14
            bad-field 14
            bad-name 2
            bad-offset 14
            not-found 3
            exists 4
            denied 5
            incompatible 13
            changed 4
            busy 12
            unknown-session 9
            superseded 12
            no-space 11
            timeout 12
            version 14
            internal 1""");
  }
}
