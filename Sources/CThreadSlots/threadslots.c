#include "threadslots.h"

__thread cts_slot cts_slots[CTS_SLOT_COUNT];
uintptr_t cts_registry_head;
uint32_t cts_registry_lock;
