// A NIO server that echoes, and reads into the pages of an arena.
//
// NIO takes the memory of its buffers from three functions of C, which get a pointer and nothing
// else: the arena finds out by itself how long the run is that starts there. A buffer goes out as
// it came in, so that nothing is copied.

@_spi(CustomByteBufferAllocator) import NIOCore
import NIOPosix
import PageAlloc
import Support
import Synchronization

let messageByteCount = 64 << 10
let connectionCount = 8
let messagesOfConnection = 400

// Here C begins: what is bare pointers to NIO is runs to the arena.
extension ByteBufferAllocator {
  private static func pages(_ byteCount: Int) -> Int {
    max(1, (byteCount + PageArena.pageSize - 1) / PageArena.pageSize)
  }

  /// Buffers in whole pages of ``PageArena/shared``.
  static let pages = unsafe ByteBufferAllocator(
    allocate: { byteCount in
      unsafe try? PageArena.shared.allocate(pages: pages(byteCount))
    },
    reallocate: { run, _, byteCount in
      guard let run = unsafe run else { return nil }
      return unsafe try? PageArena.shared.resize(run, to: pages(byteCount))
    },
    deallocate: { run in unsafe try? PageArena.shared.deallocate(run) },
    copy: { target, source, byteCount in
      unsafe target.copyMemory(from: source, byteCount: byteCount)
    })
}

extension ByteBuffer {
  /// Whether its bytes lie in a run of the shared arena.
  var isInPages: Bool {
    unsafe withUnsafeReadableBytes { bytes in
      guard let start = bytes.baseAddress else { return false }
      return unsafe PageArena.shared.run(containing: start) != nil
    }
  }
}

/// What the server saw.
let readsInPages = Atomic<Int>(0)
let readsElsewhere = Atomic<Int>(0)

/// Sends back what comes in.
final class Echo: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    if buffer.isInPages {
      readsInPages.add(1, ordering: .relaxed)
    } else {
      readsElsewhere.add(1, ordering: .relaxed)
    }
    context.write(wrapOutboundOut(buffer), promise: nil)
  }

  func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}

/// Sends messages, one after another, and checks that each comes back.
final class Client: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let message: ByteBuffer
  private var missing = 0
  private var messagesLeft = messagesOfConnection

  init(number: Int) {
    message = ByteBuffer(bytes: (0..<messageByteCount).map { UInt8(($0 &+ number) % 251) })
  }

  func channelActive(context: ChannelHandlerContext) { send(context) }

  private func send(_ context: ChannelHandlerContext) {
    missing = messageByteCount
    context.writeAndFlush(wrapOutboundOut(message), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    let sent = message.getSlice(at: messageByteCount - missing, length: part.readableBytes)
    require(part == sent, "an echo that differs")
    missing -= part.readableBytes
    if missing > 0 { return }
    messagesLeft -= 1
    if messagesLeft > 0 { send(context) } else { context.close(promise: nil) }
  }
}

/// Serves all connections, with buffers from an allocator.
/// - Returns: nanoseconds for a message, there and back.
func serve(_ allocator: ByteBufferAllocator) throws -> Double {
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
  let server = try ServerBootstrap(group: group)
    .childChannelOption(.allocator, value: allocator)
    .childChannelOption(
      .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: messageByteCount)
    )
    .childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(Echo())
      }
    }
    .bind(host: "127.0.0.1", port: 0).wait()
  guard let address = server.localAddress else { fatalError("no address") }
  let time = try nanoseconds {
    let clients = (0..<connectionCount).map { number in
      ClientBootstrap(group: group)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(Client(number: number))
          }
        }
        .connect(to: address)
    }
    for client in clients { try client.wait().closeFuture.wait() }
  }
  try server.close().wait()
  try group.syncShutdownGracefully()
  return time / Double(connectionCount * messagesOfConnection)
}

@main
enum EchoServerExample {
  static func main() throws {
    let ours = try best { try serve(.pages) }
    let reads = readsInPages.load(ordering: .relaxed)
    require(reads > 0 && readsElsewhere.load(ordering: .relaxed) == 0, "reads elsewhere")
    // What threads have at hand is exact once it was taken back.
    try PageArena.shared.releaseFreeMemory()
    let statistics = PageArena.shared.statistics
    require(statistics.inUseBytes == 0, "buffers that were not freed: \(statistics)")
    let byMalloc = try best { try serve(ByteBufferAllocator()) }
    require(readsInPages.load(ordering: .relaxed) == reads, "malloc's buffers in pages")

    let count = 3 * connectionCount * messagesOfConnection
    print("\(connectionCount) connections, \(count) messages of 64 KiB came back as they were sent")
    print("\(reads) reads into pages, none elsewhere; at the end 0 bytes in use")
    compare("a message there and back", ours / 1000, by: "malloc", byMalloc / 1000, unit: "µs")
  }
}
