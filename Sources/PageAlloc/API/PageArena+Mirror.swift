// What `print`, `dump` and a debugger show: what users set and may read, and nothing of how it is
// held. Embedded Swift has no mirrors.

#if !hasFeature(Embedded)
  extension PageArena.Options: CustomReflectable {
    /// The options that users set, by name; `print` shows them, too.
    public var customMirror: Mirror {
      Mirror(
        self,
        children: [
          "reservedByteCount": reservedByteCount, "threadCacheByteCount": threadCacheByteCount,
          "scavenging": scavenging, "memoryLimit": memoryLimit, "hugePages": hugePages,
          "scavengesUnderPressure": scavengesUnderPressure,
          "allowsWritableCode": allowsWritableCode, "isPermanent": isPermanent,
          "forkHandling": forkHandling, "diagnosis": diagnosis,
          "label": label,
        ], displayStyle: .struct)
    }
  }

  extension PageArena: CustomReflectable {
    /// The options that the arena was made with, and what they came to.
    public var customMirror: Mirror {
      Mirror(
        self,
        children: ["options": options, "memoryLimits": memoryLimits, "isChecked": isChecked],
        displayStyle: .class)
    }
  }
#endif
