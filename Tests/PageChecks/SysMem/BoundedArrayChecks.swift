import SysMem

/// The list that lies in the value itself.
package let boundedArrayChecks: [Check] = [
  Check("bounded array: every change agrees with an array's, up to the last place") { recorder in
    var random = SplitMix64(seed: 11)
    var list = BoundedArray<Int, 7>(filler: -1)
    var model: [Int] = []
    for step in 0..<5000 {
      let choice = random.next() % 16
      if choice == 0 {
        list.removeAll()
        model.removeAll()
      } else if choice < 8, !list.isFull {
        let place = Int(random.next() % UInt64(model.count + 1))
        list.insert(step, at: place)
        model.insert(step, at: place)
      } else if choice < 11, !list.isFull {
        list.append(step)
        model.append(step)
      } else if choice < 12, !list.isEmpty {
        recorder.expectEqual(list.removeLast(), model.removeLast(), "the last one")
      } else if choice < 14, !list.isEmpty {
        let place = Int(random.next() % UInt64(model.count))
        recorder.expectEqual(list.remove(at: place), model.remove(at: place), "one from within")
      } else if !list.isEmpty {
        let place = Int(random.next() % UInt64(model.count))
        list[place] = -step
        model[place] = -step
      }
      recorder.expectEqual(list.count, model.count, "count")
      recorder.expect(list.isEmpty == model.isEmpty, "isEmpty")
      recorder.expect(list.isFull == (model.count == 7), "isFull")
      recorder.expectEqual(list.span.count, model.count, "count of the span")
      for place in 0..<min(list.count, model.count) {
        recorder.expectEqual(list[place], model[place], "element \(place)")
        recorder.expectEqual(list.span[place], model[place], "element \(place) of the span")
      }
    }
  },
  Check("bounded array: a body writes on from the end, into what is vacant") { recorder in
    var list = BoundedArray<UInt8, 5>(filler: 9)
    list.append(1)
    list.append(2)
    unsafe list.append { places in
      recorder.expectEqual(places.count, 3, "vacant places")
      unsafe places[0] = 3
      unsafe places[1] = 4
      return 2
    }
    recorder.expectEqual(list.count, 4, "count")
    for place in 0..<4 { recorder.expectEqual(Int(list[place]), place + 1, "element \(place)") }
    list.append(5)
    unsafe list.append { places in
      recorder.expectEqual(places.count, 0, "vacant places in a full list")
      return 0
    }
    recorder.expect(list.isFull, "full")
  },
]
