#include "threadslots.h"

__thread cts_thread cts_this_thread;
cts_registry cts_arenas;
