#!/usr/bin/awk -f
# Lets the output of `swift test` through without the lines that tell of a beginning, and closes
# with the count `N passed, N failed`. A parameterised test counts once a case.

function cases(    words, n, i) {
  n = split($0, words, " ")
  for (i = 2; i < n; i++)
    if (words[i - 1] == "with" && words[i] ~ /^[0-9]+$/ && words[i + 1] == "test") return words[i]
  return 1
}

# A test case's name may have several lines; they begin with a mark and end with "started.".
/^◇ / { beginning = 1 }
beginning { if (/ started\.$/) beginning = 0; next }
/^\[[0-9]+\/[0-9]+\] / || / started\.$/ { next }
/^[^ ]+ Test run with / { print; next }
/^[^ ]+ Test .* passed after / { passed += cases(); next }
/^[^ ]+ Test .* failed after / { failed++ }
/^[^ ]+ Suite .* passed after / { next }
{ print; fflush() }
END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }
