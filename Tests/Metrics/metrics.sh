#!/usr/bin/env bash
# The checks of PageAllocMetrics, in a folder of their own, since the trait makes another build of
# everything; and that without the trait nobody fetches swift-metrics.
#
#   metrics.sh [OPTIONS]     options for `swift build`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if swift package show-dependencies --format flatlist 2>/dev/null | grep -q swift-metrics; then
  echo "FAILED: swift-metrics is fetched without the trait Metrics"
  exit 1
fi
Tests/Cross/quietly.sh metricscheck swift build --traits Metrics --scratch-path .build/metrics \
  --product metricscheck "$@"
.build/metrics/debug/metricscheck
