// expect: requires that 'Kind' conform to 'FullyInhabited'
import PageAlloc

enum Kind: UInt8 {
  case leaf, node
}

func bad(_ arena: PageArena) throws {
  let run = try arena.allocateRun(pages: 4)
  _ = run.elements(of: Kind.self)[0]
}
