import Foundation

/// JSON for people and programs: indented, with the keys in order.
func jsonText(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

extension FileFailure: Encodable {
  private enum Key: String, CodingKey { case message, line }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(message, forKey: .message)
    try object.encodeIfPresent(line, forKey: .line)
  }
}
