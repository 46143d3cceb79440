/* Lua, as it comes or on our pages:  lua default|pages|avoid [figures]
 *
 * Four states, each in a thread of its own, which build trees, tables and strings, and check them;
 * with the collector of generations, and with the other. */
#include <lua5.4/lauxlib.h>
#include <lua5.4/lualib.h>

#include "blocks.h"
#include "client.h"

static const char program[] =
    "local mode, scale = ...\n"
    "collectgarbage(mode)\n"
    "local function tree(n) if n == 0 then return {} end return {tree(n-1), tree(n-1)} end\n"
    "local function count(t) return t[1] and 1 + count(t[1]) + count(t[2]) or 1 end\n"
    "local made = 0\n"
    "local long = tree(15)\n"
    "for i = 1, 10 * scale do\n"
    "  local n = 8 + i % 6\n"
    "  assert(count(tree(n)) == 2^(n+1) - 1)\n"
    "  made = made + 2^(n+1)\n"
    "end\n"
    "local words = {}\n"
    "for i = 1, 20000 * scale do\n"
    "  local key = 'k' .. (i * 7919 % 30011)\n"
    "  words[key] = (words[key] or '') .. string.char(97 + i % 26)\n"
    "  if #words[key] > 40 then words[key] = nil end\n"
    "  made = made + 2\n"
    "end\n"
    "local parts = {}\n"
    "for i = 1, 50000 do parts[i] = ('%08d'):format(i) end\n"
    "local all = table.concat(parts)\n"
    "assert(#all == 400000 and all:sub(8 * 41233 - 7, 8 * 41233) == '00041233')\n"
    "local co = coroutine.wrap(function() for i = 1, 1000 do coroutine.yield(i) end end)\n"
    "for i = 1, 1000 do assert(co() == i) end\n"
    "assert(count(long) == 65535)\n"
    "return made\n";

static pa_arena *pages;
static _Atomic uint64_t operations;

/* Runs the program in a state of its own. */
static int run(const char *mode, int scale) {
  blocks mine = {.pages = pages};
  lua_State *state = pages ? lua_newstate(lua_on_pages, &mine) : luaL_newstate();
  if (!state) return 0;
  luaL_openlibs(state);
  int good = luaL_loadstring(state, program) == LUA_OK;
  lua_pushstring(state, mode);
  lua_pushinteger(state, scale);
  good = good && lua_pcall(state, 2, 1, 0) == LUA_OK;
  if (good) operations += (uint64_t)lua_tonumber(state, -1);
  else printf("%s\n", lua_tostring(state, -1));
  lua_close(state);
  return good;
}

static void *work(void *argument) {
  (void)argument;
  HOLDS(run("incremental", 20));
  HOLDS(run("generational", 20));
  return NULL;
}

static int use(void) { return run("incremental", 1); }

int main(int argc, char **argv) {
  pa_options options;
  if (argc < 2) return 2;
  const bool checks = argc < 3;
  if (read_way(argv[1], &options)) HOLDS(pa_create(&options, &pages) == PA_OK);
  if (!checks) warm_up();
  const double processor = processor_seconds(), elapsed = elapsed_seconds();
  run_threads(work, checks ? use : NULL);
  const double seconds = processor_seconds() - processor;
  return tell_end(pages, seconds, elapsed, operations);
}
