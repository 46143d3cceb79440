import SysMem

/// The bound on memory of control groups, by files of the check's own.
package let cgroupMemoryChecks: [Check] = [
  Check("control groups: the bound, of version 2, version 1, both, containers, and none") {
    recorder in
    let cases: [(name: StaticString, limit: UInt64?, files: FakeFiles)] = [
      (
        "version 2", 1000,
        FakeFiles([
          ("/proc/self/cgroup", "0::/a/b\n"), ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
          ("/sys/fs/cgroup/a/memory.max", "1000\n"), ("/sys/fs/cgroup/memory.max", "5000\n"),
        ])
      ),
      (
        "version 2, throttled before", 700,
        FakeFiles([
          ("/proc/self/cgroup", "0::/a\n"), ("/sys/fs/cgroup/a/memory.max", "1000\n"),
          ("/sys/fs/cgroup/a/memory.high", "700\n"),
        ])
      ),
      (
        "version 1", 123_456,
        FakeFiles([
          ("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:hugetlb,memory:/x/y\n0::/\n"),
          ("/sys/fs/cgroup/memory/x/y/memory.limit_in_bytes", "9223372036854771712\n"),
          ("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "123456\n"),
        ])
      ),
      (
        "in a container: only the root is there", 77,
        FakeFiles([
          ("/proc/self/cgroup", "4:memory:/docker/0123\n0::/docker/0123\n"),
          ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "77\n"),
        ])
      ),
      (
        "no limit", nil,
        FakeFiles([
          ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "max\n"),
        ])
      ),
      ("another controller", nil, FakeFiles([("/proc/self/cgroup", "4:memory2:/x\n")])),
      ("garbage", nil, FakeFiles([("/proc/self/cgroup", "::\n:\n\n0:\nmemory\n4:memory")])),
      ("nothing", nil, FakeFiles([])),
    ]
    for test in cases {
      recorder.context = "\(test.name)"
      recorder.expect(cgroupMemory(test.files)?.limitBytes == test.limit, "the limit")
    }
  }
]
