/* A state of Lua on the pages of an arena: lua_newstate(lua_on_pages, &blocks). */
#include "blocks.h"

void *lua_on_pages(void *data, void *block, size_t old, size_t size) {
  blocks *b = (blocks *)data;
  if (block && size > 0) return blocks_resize(b, block, old, size);
  if (block) blocks_give(b, block, old);
  return size > 0 ? blocks_take(b, size) : NULL; /* `old` is a kind of object here */
}
