import Foundation
import Glibc

/// A terminal for programs that look whether their output is one.
enum Terminal {
  /// Runs `pagetool` with its standard output on a terminal, and returns what it writes there. It
  /// has no more environment than is given.
  static func run(_ arguments: [String], environment: [String: String]) throws -> String {
    let host = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var locked: CInt = 0
    // TIOCSPTLCK and TIOCGPTPEER of <asm/ioctls.h>: unlocks the other end, and opens it.
    guard host >= 0, unsafe ioctl(host, 0x4004_5431, &locked) == 0 else {
      throw POSIXError(.ENOTTY)
    }
    let end = ioctl(host, 0x5441, O_RDWR | O_NOCTTY)
    guard end >= 0 else { throw POSIXError(.ENOTTY) }
    let terminal = FileHandle(fileDescriptor: end, closeOnDealloc: false)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Tool.path)
    process.arguments = arguments
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = terminal
    try process.run()
    close(end)
    // Read until the program has closed its end, which Linux tells by EIO.
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(host, &piece, piece.count)
      if count <= 0 { break }
      bytes += piece[..<count]
    }
    close(host)
    process.waitUntilExit()
    return String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
  }
}
