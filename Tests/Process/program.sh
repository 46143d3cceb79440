# To be sourced: builds a program of this folder against the library.
#
#   build_program NAME [OPTIONS]     makes .build/process/NAME of Tests/Process/NAME.swift
here=.build/process

build_program() {
  local name=$1
  shift
  mkdir -p "$here"
  Tests/Cross/quietly.sh PageAlloc swift build -c release --target PageAlloc "$@"
  swiftc -O -swift-version 6 -strict-memory-safety -warnings-as-errors -I .build/release/Modules \
    -I Sources/CSysMem -I Sources/CThreadSlots/include -I Sources/CDiagnosis/include \
    -module-name "$name" -o "$here/$name" "Tests/Process/$name.swift" \
    .build/release/{SysMem,PageAlloc,CThreadSlots,CDiagnosis}.build/*.o
}
